import type { StreamPath } from '@sluice/core';
import { type Micros, type Millis, secondsFromMicros, type TrackConfig } from '@sluice/media';
import type { DashPeriod } from './dash-packager.js';
import type { DashTrack } from './dash-track.js';
import { runsOf, timelineOf } from './timeline.js';
import { type AttributeValue, element, writeXml, type XmlElement } from './xml.js';

/** Where an MPD finds what it names. @param rendition of the stream; else it is the stream's own */
export interface MpdUrls {
  init(period: number, track: string, rendition?: string): string;
  media(period: number, track: string, rendition?: string): string;
}

/** Another version of the picture, cut where the stream is, whose segments have the numbers and the times of the stream's. */
export interface ListedRendition {
  readonly name: string;
  readonly path: StreamPath;
  /** RFC 6381. */
  readonly codec: string;
  /** The most that it takes, in bit/s. */
  readonly bandwidth: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** What an MPD says. */
export interface MpdContent {
  /** One or more, each of which has a segment. */
  readonly periods: readonly DashPeriod[];
  /** Of the picture, where the period has one. */
  readonly renditionsOf: (period: DashPeriod) => readonly ListedRendition[];
  readonly availabilityStart: Millis;
  readonly publishedAt: Millis;
  /** Seconds. */
  readonly updatePeriod: number;
  /** How far back it can be watched, in seconds. */
  readonly windowSeconds: number;
  /** How long segments last. */
  readonly segment: Micros;
  /** How long chunks last, where segments can be had while they are being made. */
  readonly chunk: Micros | undefined;
  /** Whether they have lasted equally long, so that those to come can be listed. */
  readonly steady: boolean;
  readonly ended: boolean;
  readonly urls: MpdUrls;
  /** Of what tells the time. */
  readonly timeUrl: string;
}

const PROFILES = 'urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019';
const SWITCHING = 'urn:mpeg:dash:adaptation-set-switching:2016';
const HTTP_ISO = 'urn:mpeg:dash:utc:http-iso:2014';
/** Clients that take segments whole stay this many of them behind. */
const DELAY_SEGMENTS = 3;
/** Clients that take them in chunks stay this many of those behind, and no less than this many seconds. */
const LATENCY_CHUNKS = 5;
const LEAST_LATENCY = 1;
/** Renditions come that much later, in seconds: encoders look ahead at some pictures. */
const ENCODING_LATENCY = 1;
/** What players may do about their distance without being heard. */
const PACE = { min: 0.96, max: 1.04 };
/** MP3 as its own names in MP4 say it, RFC 6381 §3.3: MPEG-1 has the higher rates. */
const MP3_NAMES = { mpeg1: 'mp4a.6B', mpeg2: 'mp4a.69' };
const LEAST_MPEG1_RATE = 32_000;

/** A live MPD, ISO 23009-1 §5. */
export function renderMpd(content: MpdContent): string {
  const { periods, availabilityStart, publishedAt, updatePeriod, windowSeconds, segment, chunk, ended } = content;
  const delay = Math.min(DELAY_SEGMENTS * secondsFromMicros(segment), windowSeconds);
  const end = Math.max(...periods.map((period) => startOf(period, content) + endOf(period)));
  const root = element(
    'MPD',
    {
      xmlns: 'urn:mpeg:dash:schema:mpd:2011',
      profiles: PROFILES,
      type: 'dynamic',
      availabilityStartTime: new Date(availabilityStart).toISOString(),
      publishTime: new Date(publishedAt).toISOString(),
      minimumUpdatePeriod: ended ? undefined : duration(updatePeriod),
      mediaPresentationDuration: ended ? duration(end) : undefined,
      minBufferTime: duration(chunk === undefined ? secondsFromMicros(segment) : secondsFromMicros(chunk)),
      timeShiftBufferDepth: duration(windowSeconds),
      suggestedPresentationDelay: duration(delay),
      maxSegmentDuration: duration(longestOf(content)),
    },
    [
      chunk === undefined
        ? undefined
        : serviceDescription(
            secondsFromMicros(chunk),
            periods.some((period) => content.renditionsOf(period).length > 0),
          ),
      ...periods.map((period) => periodElement(period, content)),
      element('UTCTiming', { schemeIdUri: HTTP_ISO, value: content.timeUrl }),
    ],
  );
  return writeXml(root);
}

/** ISO 23009-1 Annex K: how far behind a player should be that takes segments in chunks. */
function serviceDescription(chunkSeconds: number, hasRenditions: boolean): XmlElement {
  const encoding = hasRenditions ? ENCODING_LATENCY : 0;
  const target = Math.round((Math.max(LEAST_LATENCY, LATENCY_CHUNKS * chunkSeconds) + encoding) * 1000);
  return element('ServiceDescription', { id: 0 }, [
    element('Latency', { target, min: Math.round(target / 2), max: target * 4, referenceId: 0 }),
    element('PlaybackRate', PACE),
  ]);
}

function periodElement(period: DashPeriod, content: MpdContent): XmlElement {
  const listed = period.tracks.filter((track) => timelineOf(track, period, expectedIn(content)).length > 0);
  let sounds = 0;
  return element(
    'Period',
    {
      id: period.id,
      start: duration(startOf(period, content)),
      // An encoder that was away leaves a gap before the next period, which players pass over.
      duration: period.ended ? duration(endOf(period)) : undefined,
    },
    listed.flatMap((track) => {
      if (track.config.kind === 'video') return pictureSets(track, period, content);
      const representation = ownRepresentation(track, period);
      return [
        adaptationSet({ id: track.config.track, track, isMain: sounds++ === 0 }, period, content, [representation]),
      ];
    }),
  );
}

/** Who can decode one version can decode the others of its set, and only among those can each player switch. */
function pictureSets(track: DashTrack, period: DashPeriod, content: MpdContent): XmlElement[] {
  const own = codecsOf(track.config);
  const renditions = content.renditionsOf(period);
  const same = renditions.filter(({ codec }) => isSameFamily(codec, own));
  const other = renditions.filter(({ codec }) => !isSameFamily(codec, own));
  const { track: id } = track.config;
  const otherId = Math.max(...period.tracks.map(({ config }) => config.track)) + 1;
  const made = (rendition: ListedRendition) => renditionRepresentation(rendition, track, period, content);
  const sets = [{ id, members: [ownRepresentation(track, period), ...same.map(made)] }];
  if (other.length > 0) sets.push({ id: otherId, members: other.map(made) });
  return sets.map((set) => {
    const switchTo = sets.flatMap((one) => (one.id === set.id ? [] : [one.id])).join(',');
    return adaptationSet({ id: set.id, track, isMain: true, switchTo }, period, content, set.members);
  });
}

/** Sets of the same track differ in their codecs; ISO 23009-1 §5.3.3.5 tells players that they may switch even so. */
interface SetOptions {
  readonly id: number;
  readonly track: DashTrack;
  readonly isMain: boolean;
  readonly switchTo?: string;
}

function adaptationSet(
  { id, track, isMain, switchTo = '' }: SetOptions,
  period: DashPeriod,
  content: MpdContent,
  representations: readonly XmlElement[],
): XmlElement {
  const { config, closed, open } = track;
  const all = open === undefined ? closed : [...closed, open];
  const common = {
    id,
    contentType: config.kind,
    mimeType: `${config.kind}/mp4`,
    segmentAlignment: true,
    startWithSAP: all.every(({ independent }) => independent) ? 1 : undefined,
  };
  return element('AdaptationSet', common, [
    content.chunk === undefined ? undefined : producerReferenceTime(track, period, content),
    element('Role', { schemeIdUri: 'urn:mpeg:dash:role:2011', value: isMain ? 'main' : 'alternate' }),
    switchTo === '' ? undefined : element('SupplementalProperty', { schemeIdUri: SWITCHING, value: switchTo }),
    segmentTemplate(track, period, content),
    ...representations,
  ]);
}

function ownRepresentation(track: DashTrack, period: DashPeriod): XmlElement {
  const { config } = track;
  const attributes = {
    id: track.id,
    codecs: codecsOf(config),
    bandwidth: Math.max(1, track.bandwidth),
    ...mediaAttributes(period, config),
  };
  if (config.kind === 'video') return element('Representation', attributes);
  const channels = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011';
  const { channels: value } = config;
  return element('Representation', attributes, [
    element('AudioChannelConfiguration', { schemeIdUri: channels, value }),
  ]);
}

/** What it doesn't say of its segments is what its set does, ISO 23009-1 §5.3.9.1. */
function renditionRepresentation(
  { name, codec, bandwidth, width, height }: ListedRendition,
  track: DashTrack,
  period: DashPeriod,
  { urls }: MpdContent,
): XmlElement {
  return element('Representation', { id: name, codecs: codec, bandwidth, width, height }, [
    element('SegmentTemplate', {
      initialization: urls.init(period.id, track.id, name),
      media: urls.media(period.id, track.id, name),
    }),
  ]);
}

/** Whether who can decode the one can decode the other, but for its profile and level. RFC 6381 §3.3. */
export const isSameFamily = (a: string, b: string): boolean =>
  FAMILIES.some((family) => family.test(a) && family.test(b));
const FAMILIES: readonly RegExp[] = [/^avc[13]\./, /^(?:hvc1|hev1)\./];

/** ISO 23009-1 §5.3.9.2 to .6. */
function segmentTemplate(track: DashTrack, period: DashPeriod, content: MpdContent): XmlElement {
  const { chunk, segment, urls } = content;
  const first = track.closed[0] ?? track.open;
  const ahead = chunk === undefined ? 0 : Math.max(0, secondsFromMicros(segment) - secondsFromMicros(chunk));
  const attributes = {
    timescale: track.timescale,
    presentationTimeOffset: track.offset,
    availabilityTimeOffset: ahead > 0 ? seconds(ahead) : undefined,
    availabilityTimeComplete: ahead > 0 ? false : undefined,
    startNumber: first?.number ?? track.next,
    initialization: urls.init(period.id, track.id),
    media: urls.media(period.id, track.id),
  };
  const runs = runsOf(timelineOf(track, period, expectedIn(content)));
  const entries = runs.map(({ t, d, r }) => element('S', { t, d, r: r === 0 ? undefined : r }));
  return element('SegmentTemplate', attributes, [element('SegmentTimeline', {}, entries)]);
}

/** ISO 23009-1 §5.12: which time of the media was when. Segments say so, too, in a `prft` box. */
function producerReferenceTime(track: DashTrack, period: DashPeriod, { timeUrl }: MpdContent): XmlElement {
  const attributes = {
    id: 0,
    inband: true,
    type: 'encoder',
    wallClockTime: new Date(period.startedAt).toISOString(),
    presentationTime: track.offset,
  };
  return element('ProducerReferenceTime', attributes, [
    element('UTCTiming', { schemeIdUri: HTTP_ISO, value: timeUrl }),
  ]);
}

function mediaAttributes({ size }: DashPeriod, config: TrackConfig): Record<string, AttributeValue> {
  if (config.kind === 'audio') return { audioSamplingRate: config.sampleRate };
  return { width: size?.width, height: size?.height };
}

function codecsOf({ codec, codecString, ...config }: TrackConfig): string {
  if (codec !== 'mp3' || !('sampleRate' in config)) return codecString;
  return config.sampleRate >= LEAST_MPEG1_RATE ? MP3_NAMES.mpeg1 : MP3_NAMES.mpeg2;
}

/** How long segments to come are said to be, where they are listed. */
const expectedIn = ({ chunk, steady, segment, ended }: MpdContent): Micros | undefined =>
  chunk !== undefined && steady && !ended ? segment : undefined;

const startOf = ({ startedAt }: DashPeriod, { availabilityStart }: MpdContent): number =>
  (startedAt - availabilityStart) / 1000;

const endOf = ({ tracks }: DashPeriod): number => Math.max(...tracks.map((track) => track.secondsOf(track.end)));

function longestOf(content: MpdContent): number {
  const durations = content.periods.flatMap((period) =>
    period.tracks.flatMap((track) =>
      timelineOf(track, period, expectedIn(content)).map((entry) => entry.duration / track.timescale),
    ),
  );
  return Math.max(0, ...durations);
}

/** Milliseconds are enough; rounded up, so that what is said to fit does. */
const seconds = (value: number): string => String(Math.ceil(Math.round(value * 1e6) / 1000) / 1000);
/** xs:duration. */
const duration = (value: number): string => `PT${seconds(value)}S`;
