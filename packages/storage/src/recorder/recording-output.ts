import type { Clock, Output, OutputSource, PathSettings, RecordedTrack, StreamDescription } from '@sluice/core';
import {
  type Metadata,
  type Micros,
  type Millis,
  micros,
  millis,
  millisFromMicros,
  type Sample,
  sameTrackConfig,
  type TimedMetadata,
  type TrackConfig,
  type TrackId,
} from '@sluice/media';
import { mediaFault } from './muxers/media-fault.js';
import type { ContainerFormat, RecordingMuxer } from './muxers/muxer.js';
import type { FileSink, RecordingSink } from './recording-sink.js';
import { WaitingSamples } from './waiting-samples.js';

export type RecordingSettings = PathSettings['recording'];

export interface RecordingOutputOptions {
  readonly source: OutputSource;
  readonly format: ContainerFormat;
  /** Asked again for each file, and while it grows whenever something is handed on. */
  readonly settings: () => RecordingSettings;
  readonly sink: RecordingSink;
  readonly clock: Clock;
  /** The stream is over. */
  readonly onEnd: (reason: string) => void;
}

interface OpenFile {
  readonly sink: FileSink;
  readonly muxer: RecordingMuxer;
  readonly tracks: ReadonlyMap<TrackId, TrackConfig>;
  settings: RecordingSettings;
  /** The time that it was cut at. Its length counts from there. */
  readonly cutAt: Micros;
  /** Where its media begin: earlier than it was cut, where sound comes later than its picture. */
  start: Micros;
  startedAt: Millis;
  /** Bytes appended. */
  bytes: number;
  /** Where its last sample begins. */
  end: Micros;
  /** Live time, in ms, that isn't in it. */
  missing: number;
  flushedTo: Micros;
  flushedAt: Millis;
  /** Whether all that has come was handed on. */
  isDrained: boolean;
}

/** Keyframes of a GOP that is as long as a file waver by this much. */
const EARLY_CUT = 20_000;
/** Sound before the first picture that is kept: a frame that lasts into it. */
const SOUND_LEAD = 25_000;
/** Sound is kept for so long until there is a picture to begin with. */
const MAX_SOUND_LEAD = 1_000_000;
/** For so long, or half of `flushSeconds`, a stream of sound alone may turn out to have pictures, too. */
const MAX_GATHERING = 1_000_000;
/** However long media may wait in memory, not more of it than this does. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** The shortest time that an encoder was away which is worth a note, and that of an encoder that said nothing of it. */
const MIN_GAP_MS = { told: 500, untold: 5000 };

/**
 * Turns a stream into files: begins them at keyframes, hands on what has come every half `flushSeconds`, and ends them
 * where the settings, a change of codec or somebody want a new one.
 */
export class RecordingOutput implements Output {
  readonly viewers = 0;
  readonly #options: RecordingOutputOptions;
  #tracks = new Map<TrackId, TrackConfig>();
  #metadata: Metadata = {};
  /** The track whose samples files begin with: the picture, or else the sound. */
  #lead: TrackConfig | undefined;
  #leftOut: readonly string[] = [];
  #file: OpenFile | undefined;
  readonly #waiting = new WaitingSamples();
  #splits = false;
  #sawSeam = false;
  #lostFrom: Micros | undefined;
  #latest = micros(0);
  /** The first sample's time, until a file has begun. */
  #first: Micros | undefined;
  #hasBegun = false;
  #lastSampleAt = millis(0);
  #isOver = false;

  constructor(options: RecordingOutputOptions) {
    this.#options = options;
  }

  get idleSince(): Millis | undefined {
    return this.#isOver ? millis(Number.NEGATIVE_INFINITY) : undefined;
  }

  configure({ tracks, metadata }: StreamDescription): void {
    this.#metadata = metadata;
    this.#leftOut = [];
    const carried = tracks.filter((config) => this.#canCarry(config));
    if (carried.length === this.#tracks.size && carried.every((config) => isKnown(this.#tracks, config))) return;
    this.#giveUp(carried.filter((config) => isKnown(this.#tracks, config)).map(({ track }) => track));
    this.#tracks = new Map(carried.map((config) => [config.track, config]));
    this.#lead = carried.find(({ kind }) => kind === 'video') ?? carried[0];
    if (this.#file !== undefined) this.#options.source.requestKeyframe();
  }

  sample(sample: Sample): void {
    const config = this.#tracks.get(sample.track);
    if (config === undefined || this.#isOver) return;
    this.#lastSampleAt = this.#options.clock.monotonic();
    this.#latest = sample.dts;
    if (this.#file?.sink.failed === true) this.#abandon(this.#file);
    if (this.#canBeginWith(sample) && (this.#file === undefined || this.#isDue(this.#file, sample))) this.#cut(sample);
    const file = this.#file;
    if (file !== undefined && isKnown(file.tracks, config)) this.#write(file, sample);
    else this.#hold(sample);
  }

  timedMetadata(metadata: TimedMetadata): void {
    this.#file?.muxer.timedMetadata(metadata);
  }

  discontinuity(): void {
    this.#sawSeam = true;
  }

  /** A new file begins with the next keyframe. */
  split(): void {
    this.#splits = true;
    this.#options.source.requestKeyframe();
  }

  end(reason: string): void {
    if (!this.#isOver) this.#options.onEnd(reason);
  }

  /** Ends the file; nothing is recorded any more. */
  finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#file?.sink.failed === true) this.#abandon(this.#file);
    if (this.#file !== undefined) this.#close(this.#file);
    this.#giveUp([]);
    this.#file = undefined;
    this.#tellLost(this.#latest);
  }

  /** Hands on what has waited for long enough, also where the encoder says nothing. */
  sweep(now: Millis): void {
    const file = this.#file;
    if (file === undefined || file.sink.failed) return;
    if (file.isDrained && file.muxer.waiting === 0) return;
    const patience = (file.settings.flushSeconds * 1000) / 2;
    const isSilent = now - this.#lastSampleAt >= patience;
    if (now - file.flushedAt >= patience || isSilent) this.#flush(file, isSilent);
  }

  #canCarry(config: TrackConfig): boolean {
    const refusal = this.#options.format.refusalFor(config);
    if (refusal === undefined) return true;
    const what = `without ${config.codec}`;
    this.#leftOut = [...this.#leftOut, `${what}: ${refusal}`];
    this.#options.sink.leftOut(what, refusal);
    return false;
  }

  #canBeginWith({ track, kind, keyframe, dts }: Sample): boolean {
    if (track !== this.#lead?.track) return false;
    if (kind === 'video') return keyframe;
    if (this.#hasBegun) return true;
    this.#first ??= dts;
    const gathering = Math.min(this.#options.settings().flushSeconds * 500_000, MAX_GATHERING);
    return dts - this.#first >= gathering;
  }

  #isDue(file: OpenFile, { dts }: Sample): boolean {
    const { segmentSeconds, segmentBytes } = file.settings;
    const isFull = segmentBytes > 0 && file.bytes + file.muxer.waiting >= segmentBytes;
    const isLong = dts - file.cutAt >= segmentSeconds * 1_000_000 - EARLY_CUT;
    return this.#splits || isFull || isLong || !this.#hasSameTracks(file);
  }

  #hasSameTracks({ tracks }: OpenFile): boolean {
    return tracks.size === this.#tracks.size && [...this.#tracks.values()].every((config) => isKnown(tracks, config));
  }

  /** The next file begins with a sample, and with what belongs to it of those that have waited. */
  #cut(first: Sample): void {
    const before = this.#file;
    if (before !== undefined) this.#close(before);
    this.#file = undefined;
    const isFromPicture = before === undefined && first.kind === 'video';
    const waiting = this.#waiting.take(isFromPicture ? micros(first.dts - SOUND_LEAD) : undefined);
    const file = this.#open(first, waiting);
    if (file === undefined) return;
    this.#file = file;
    this.#hasBegun = true;
    this.#splits = false;
    this.#sawSeam = false;
    this.#tellLost(file.start);
    for (const sample of waiting) {
      const config = this.#tracks.get(sample.track);
      if (config !== undefined) this.#write(file, sample);
    }
  }

  #open(first: Sample, waiting: readonly Sample[]): OpenFile | undefined {
    const { source, sink, format, clock } = this.#options;
    const start = micros(Math.min(first.dts, ...waiting.map(({ dts }) => dts)));
    if (!sink.canBegin) {
      this.#lostFrom ??= start;
      return undefined;
    }
    const startedAt = source.wallTimeOf(start);
    const settings = this.#options.settings();
    const tracks = [...this.#tracks.values()];
    const muxer = format.open({ tracks, metadata: this.#metadata, seconds: settings.segmentSeconds });
    const { reserve } = muxer;
    const reason = this.#leftOut.length === 0 ? undefined : this.#leftOut.join('; ');
    const opened = sink.begin({ startedAt, tracks: tracks.map(recordedTrack), reason, reserve });
    return {
      sink: opened,
      muxer,
      tracks: this.#tracks,
      settings,
      cutAt: start,
      start,
      startedAt,
      bytes: 0,
      end: start,
      missing: 0,
      flushedTo: start,
      flushedAt: clock.monotonic(),
      isDrained: true,
    };
  }

  #write(file: OpenFile, sample: Sample): void {
    this.#noteGap(file, sample.dts);
    const fault = mediaFault(() => file.muxer.sample(sample));
    if (fault !== undefined) {
      this.#options.sink.leftOut('without some frames', fault);
      return;
    }
    file.isDrained = false;
    if (sample.dts < file.start && file.bytes === 0) this.#beginEarlier(file, sample.dts);
    if (sample.dts > file.end) file.end = sample.dts;
    const halfFlush = file.settings.flushSeconds * 500_000;
    if (sample.dts - file.flushedTo >= halfFlush || file.muxer.waiting >= MAX_WAITING_BYTES) this.#flush(file, false);
  }

  /** Of a file of which nothing was handed on yet. */
  #beginEarlier(file: OpenFile, start: Micros): void {
    file.start = start;
    file.startedAt = this.#options.source.wallTimeOf(start);
    file.sink.beganAt(file.startedAt);
  }

  #flush(file: OpenFile, all: boolean): void {
    file.flushedTo = file.end;
    file.isDrained = all;
    file.flushedAt = this.#options.clock.monotonic();
    file.settings = this.#options.settings();
    let bytes: Buffer | undefined;
    const fault = mediaFault(() => {
      bytes = file.muxer.take(all);
    });
    if (fault !== undefined) this.#options.sink.leftOut('without some frames', fault);
    if (bytes === undefined) return;
    file.bytes += bytes.length;
    file.sink.append(bytes, millisFromMicros(micros(file.end - file.start)));
  }

  #close(file: OpenFile): void {
    this.#flush(file, true);
    file.sink.end();
  }

  /** The disk has failed: what isn't on it is lost, and all that comes until the next file begins. */
  #abandon(file: OpenFile): void {
    this.#file = undefined;
    this.#waiting.clear();
    this.#lostFrom = micros(file.start + file.sink.kept * 1000);
  }

  #tellLost(until: Micros): void {
    if (this.#lostFrom === undefined) return;
    this.#options.sink.lost(Math.max(millisFromMicros(micros(until - this.#lostFrom)), 0));
    this.#lostFrom = undefined;
  }

  /** Sound for the file that the next keyframe begins. */
  #hold(sample: Sample): void {
    if (this.#file === undefined) {
      if (sample.kind === 'audio') this.#waiting.push(sample, MAX_SOUND_LEAD);
      return;
    }
    if (this.#waiting.push(sample) > 0) {
      this.#options.sink.leftOut('without some sound', 'it changed long before a keyframe came');
    }
  }

  /** What waits of other tracks than these can't be in any file: no keyframe came that one could begin with. */
  #giveUp(kept: readonly TrackId[]): void {
    const isLoss = this.#waiting.keepOnly(kept) > 0 && this.#file !== undefined;
    if (isLoss) this.#options.sink.leftOut('without some sound', 'it changed, and no keyframe came until it was over');
  }

  /** The timeline has no hole where the encoder was away; its wall time has. */
  #noteGap(file: OpenFile, dts: Micros): void {
    const at = (dts - file.start) / 1000;
    const missing = this.#options.source.wallTimeOf(dts) - (file.startedAt + at + file.missing);
    const isGap = missing >= (this.#sawSeam ? MIN_GAP_MS.told : MIN_GAP_MS.untold);
    this.#sawSeam = false;
    if (!isGap) return;
    file.missing += missing;
    file.sink.gap({ at: Math.max(Math.round(at), 0), missing: Math.round(missing), reason: 'encoder-away' });
  }
}

const isKnown = (tracks: ReadonlyMap<TrackId, TrackConfig>, config: TrackConfig): boolean => {
  const known = tracks.get(config.track);
  return known !== undefined && (known === config || sameTrackConfig(known, config));
};

function recordedTrack(config: TrackConfig): RecordedTrack {
  const { kind, codec, codecString } = config;
  if (config.kind === 'audio' || config.width === 0) return { kind, codec, codecString };
  return { kind, codec, codecString, width: config.width, height: config.height };
}
