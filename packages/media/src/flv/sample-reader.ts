import { aacTrackConfig } from '../codecs/aac.js';
import { av1TrackConfig, stripTemporalDelimiters } from '../codecs/av1.js';
import { h264TrackConfig, isH264Keyframe, parseAvcC } from '../codecs/h264.js';
import { hevcTrackConfig, isHevcKeyframe, parseHvcC } from '../codecs/hevc.js';
import { withFourByteLengthSize } from '../codecs/length-size.js';
import { mp3TrackConfig } from '../codecs/mp3.js';
import { joinLengthPrefixed, splitLengthPrefixed } from '../codecs/nal.js';
import { buildOpusHead, OPUS_SAMPLE_RATE, opusTrackConfig } from '../codecs/opus.js';
import { vp9TrackConfig } from '../codecs/vp9.js';
import { MediaError } from '../errors.js';
import type { MediaEvent, Sample } from '../sample.js';
import { micros, unwrapCounter } from '../time.js';
import { sameTrackConfig, type TrackConfig, type TrackId } from '../track-config.js';
import { readAudioTag } from './audio-tag.js';
import type { FlvCodec } from './codec-ids.js';
import { readMetadataTag } from './metadata.js';
import type { FlvPacket } from './packet.js';
import { FLV_AUDIO, FLV_VIDEO, type FlvTagType } from './tag.js';
import { describesTracks, readTimedData } from './timed-data.js';
import { readVideoTag } from './video-tag.js';

/** A track as it stands: its configuration and the size of its NAL unit lengths as sent. */
interface ReadTrack {
  readonly config: TrackConfig;
  readonly lengthSize: number;
}

type FramePacket = FlvPacket & { type: 'frame' };
type ConfigPacket = FlvPacket & { type: 'config' };

/** Version and flags of the vpcC box, which some writers leave out, as the specification's letter has it. */
const VPCC_FULL_BOX = Buffer.from([1, 0, 0, 0]);
const VPCC_RECORD = 8;

const configBuilders: Readonly<Record<FlvCodec, (track: TrackId, description: Buffer) => TrackConfig>> = {
  h264: h264TrackConfig,
  hevc: hevcTrackConfig,
  av1: av1TrackConfig,
  vp9: (track, record) =>
    vp9TrackConfig(track, record.length === VPCC_RECORD ? Buffer.concat([VPCC_FULL_BOX, record]) : record),
  aac: aacTrackConfig,
  mp3: mp3TrackConfig,
  opus: opusTrackConfig,
};

/** Turns FLV tag bodies, which are RTMP's media messages too, into what they say of the stream. */
export class FlvSampleReader {
  readonly #tracks = new Map<TrackId, ReadTrack>();
  #lastTimestamp: number | undefined;

  /**
   * @param timestamp milliseconds modulo 2^32
   * @throws {MediaError} where the body can't be read; what was read before stays valid
   */
  read(type: FlvTagType, timestamp: number, body: Buffer): MediaEvent[] {
    if (type === FLV_VIDEO) return this.#readMedia(readVideoTag(body), timestamp, 0);
    if (type === FLV_AUDIO) return this.#readMedia(readAudioTag(body), timestamp, 1);
    return this.#readScript(timestamp, body);
  }

  /** `onMetaData` describes the stream, unless it comes while there is one and speaks of something else. */
  #readScript(timestamp: number, body: Buffer): MediaEvent[] {
    const metadata = readMetadataTag(body);
    const last = this.#lastTimestamp;
    if (metadata !== undefined && (last === undefined || describesTracks(metadata))) {
      return [{ type: 'metadata', metadata }];
    }
    const timed = readTimedData(body, micros(unwrapCounter(last ?? timestamp, timestamp, 32) * 1000));
    return timed === undefined ? [] : [timed];
  }

  /** @param oddness video tracks have even ids, audio tracks odd ones */
  #readMedia(packets: readonly FlvPacket[], timestamp: number, oddness: 0 | 1): MediaEvent[] {
    const milliseconds = unwrapCounter(this.#lastTimestamp ?? timestamp, timestamp, 32);
    const events: MediaEvent[] = [];
    for (const packet of packets) {
      const track = packet.trackNumber * 2 + oddness;
      if (packet.type === 'end') events.push({ type: 'end-of-track', track });
      else if (packet.type === 'config') this.#readConfig(events, track, packet);
      else this.#readFrame(events, track, packet, milliseconds);
    }
    return events;
  }

  #readConfig(events: MediaEvent[], track: TrackId, packet: ConfigPacket): void {
    if (packet.description.length === 0) {
      if (packet.codec === 'opus' && !this.#tracks.has(track)) this.#setTrack(events, headlessOpus(track), 4);
      // An encoder that stops sends an empty sequence header now and then.
      return;
    }
    const lengthSize = lengthSizeOf(packet);
    this.#setTrack(
      events,
      configBuilders[packet.codec](track, withFourByteLengthSize(packet.codec, packet.description)),
      lengthSize,
    );
  }

  #setTrack(events: MediaEvent[], config: TrackConfig, lengthSize: number): ReadTrack {
    const known = this.#tracks.get(config.track);
    const track = { config, lengthSize };
    this.#tracks.set(config.track, track);
    if (known === undefined || !sameTrackConfig(known.config, config)) events.push({ type: 'config', config });
    return track;
  }

  #readFrame(events: MediaEvent[], track: TrackId, packet: FramePacket, milliseconds: number): void {
    let known = this.#tracks.get(track);
    if (packet.codec === 'mp3' && known?.config.codec !== 'mp3') {
      known = this.#setTrack(events, mp3TrackConfig(track, packet.data), 4);
    }
    if (known === undefined || known.config.codec !== packet.codec) {
      throw new MediaError('no-config', `${packet.codec} data came before its sequence header`);
    }
    const sample = sampleOf(known, packet, milliseconds);
    if (sample === undefined) return;
    this.#lastTimestamp = milliseconds;
    events.push({ type: 'sample', sample });
  }
}

/** Opus may come without its head, and is mono or stereo then; a decoder gives stereo for both. Enhanced RTMP v2. */
function headlessOpus(track: TrackId): TrackConfig {
  return opusTrackConfig(track, buildOpusHead({ channels: 2, preSkip: 0, inputSampleRate: OPUS_SAMPLE_RATE }));
}

function lengthSizeOf(packet: ConfigPacket): number {
  if (packet.codec === 'h264') return parseAvcC(packet.description).lengthSize;
  if (packet.codec === 'hevc') return parseHvcC(packet.description).lengthSize;
  return 4;
}

/** @returns undefined for a frame of no bytes */
function sampleOf(track: ReadTrack, packet: FramePacket, milliseconds: number): Sample | undefined {
  const { config } = track;
  let { data, keyframe } = packet;
  if (config.codec === 'h264' || config.codec === 'hevc') {
    const units = splitLengthPrefixed(data, track.lengthSize);
    keyframe ||= config.codec === 'h264' ? isH264Keyframe(units) : isHevcKeyframe(units);
    if (track.lengthSize !== 4) data = joinLengthPrefixed(units);
  } else if (config.codec === 'av1') {
    data = stripTemporalDelimiters(data);
  }
  if (data.length === 0) return undefined;
  const dts = micros(milliseconds * 1000 + Math.round(packet.nanoseconds / 1000));
  const pts = micros(dts + packet.compositionTime * 1000);
  return { track: config.track, kind: config.kind, dts, pts, keyframe, data };
}
