import { aacTrackConfig, buildAudioSpecificConfig, parseAdtsHeader } from '../codecs/aac.js';
import { buildAvcC, H264_NAL, h264NalType, h264TrackConfig, isH264Keyframe } from '../codecs/h264.js';
import { buildHvcC, HEVC_NAL, hevcNalType, hevcTrackConfig, isHevcKeyframe } from '../codecs/hevc.js';
import { mp3TrackConfig, parseMp3FrameHeader } from '../codecs/mp3.js';
import { joinLengthPrefixed, splitAnnexB } from '../codecs/nal.js';
import { buildOpusHead, opusPacketDuration, opusTrackConfig } from '../codecs/opus.js';
import { MediaError } from '../errors.js';
import type { MediaEvent } from '../sample.js';
import { type Micros, micros } from '../time.js';
import { sameTrackConfig, type TrackConfig, type TrackId } from '../track-config.js';

/** The payload of a PES packet with its times on the demuxer's unwrapped clock. */
export interface TimedPayload {
  /** Undefined where the header has none, or before the first. */
  readonly pts: Micros | undefined;
  readonly dts: Micros | undefined;
  readonly data: Buffer;
}

/** Turns the PES payloads of one elementary stream into its configuration and samples. */
export interface ElementaryReader {
  read(payload: TimedPayload): MediaEvent[];
  /** Packets were lost: what was kept over doesn't fit what comes. */
  reset(): void;
}

/** Says when a track's configuration is new. */
class ConfigTracker {
  #current: TrackConfig | undefined;

  update(config: TrackConfig): MediaEvent[] {
    if (this.#current !== undefined && sameTrackConfig(this.#current, config)) return [];
    this.#current = config;
    return [{ type: 'config', config }];
  }
}

interface NalCodec {
  readonly typeOf: (unit: Buffer) => number;
  readonly isKeyframe: (units: readonly Buffer[]) => boolean;
  readonly delimiter: number;
  /** Types of the parameter sets, in the order in which `build` wants them. */
  readonly parameterSets: readonly number[];
  readonly build: (track: TrackId, sets: readonly (readonly Buffer[])[]) => TrackConfig;
}

const NAL_CODECS: Readonly<Record<'h264' | 'hevc', NalCodec>> = {
  h264: {
    typeOf: h264NalType,
    isKeyframe: isH264Keyframe,
    delimiter: H264_NAL.aud,
    parameterSets: [H264_NAL.sps, H264_NAL.pps],
    build: (track, [sps = [], pps = []]) => h264TrackConfig(track, buildAvcC(sps, pps)),
  },
  hevc: {
    typeOf: hevcNalType,
    isKeyframe: isHevcKeyframe,
    delimiter: HEVC_NAL.aud,
    parameterSets: [HEVC_NAL.vps, HEVC_NAL.sps, HEVC_NAL.pps],
    build: (track, [vps = [], sps = [], pps = []]) => hevcTrackConfig(track, buildHvcC(vps, sps, pps)),
  },
};

/** Parameter sets of one kind that a stream may carry at once, H.264 §7.4.1.2.1 allows 32 SPS. */
const MAX_PARAMETER_SETS = 32;

/** H.264 or HEVC: a PES packet is an access unit; parameter sets become the configuration. */
export class NalReader implements ElementaryReader {
  readonly #track: TrackId;
  readonly #codec: NalCodec;
  readonly #configs = new ConfigTracker();
  #configured = false;

  constructor(track: TrackId, codec: 'h264' | 'hevc') {
    this.#track = track;
    this.#codec = NAL_CODECS[codec];
  }

  read({ pts, dts, data }: TimedPayload): MediaEvent[] {
    const { typeOf, delimiter, parameterSets } = this.#codec;
    const units = splitAnnexB(data).filter((unit) => typeOf(unit) !== delimiter);
    const events = this.#readParameterSets(units);
    const coded = units.filter((unit) => !parameterSets.includes(typeOf(unit)));
    if (coded.length === 0 || !this.#configured || pts === undefined || dts === undefined) return events;
    const keyframe = this.#codec.isKeyframe(coded);
    const sample = { track: this.#track, kind: 'video' as const, dts, pts, keyframe, data: joinLengthPrefixed(coded) };
    events.push({ type: 'sample', sample });
    return events;
  }

  reset(): void {}

  #readParameterSets(units: readonly Buffer[]): MediaEvent[] {
    const { typeOf, parameterSets, build } = this.#codec;
    const sets = parameterSets.map((type) =>
      units.filter((unit) => typeOf(unit) === type).slice(0, MAX_PARAMETER_SETS),
    );
    if (sets.some((set) => set.length === 0)) return [];
    const events = this.#configs.update(build(this.#track, sets));
    this.#configured = true;
    return events;
  }
}

/** What tells one audio frame from the next in a byte stream. */
interface FrameFormat {
  /** @returns undefined while the header is incomplete. Throws where there is no header. */
  parse(bytes: Buffer, offset: number): AudioFrameHeader | undefined;
}

interface AudioFrameHeader {
  readonly headerLength: number;
  readonly frameLength: number;
  readonly duration: Micros;
  readonly config: (track: TrackId, frame: Buffer) => TrackConfig;
}

const AAC_SAMPLES_PER_FRAME = 1024;

const ADTS: FrameFormat = {
  parse: (bytes, offset) => {
    const header = parseAdtsHeader(bytes, offset);
    if (header === undefined) return undefined;
    return {
      headerLength: header.headerLength,
      frameLength: header.frameLength,
      duration: micros(Math.round((AAC_SAMPLES_PER_FRAME * 1_000_000) / header.sampleRate)),
      config: (track) => aacTrackConfig(track, buildAudioSpecificConfig(header)),
    };
  },
};

const MPEG_AUDIO: FrameFormat = {
  parse: (bytes, offset) => {
    const header = parseMp3FrameHeader(bytes, offset);
    if (header === undefined) return undefined;
    return {
      headerLength: 0,
      frameLength: header.frameLength,
      duration: micros(Math.round((header.samplesPerFrame * 1_000_000) / header.sampleRate)),
      config: mp3TrackConfig,
    };
  },
};

/** AAC in ADTS, or MPEG audio: frames that may begin and end anywhere in the PES packets. */
export class FramedAudioReader implements ElementaryReader {
  readonly #track: TrackId;
  readonly #format: FrameFormat;
  readonly #configs = new ConfigTracker();
  #kept: Buffer = Buffer.alloc(0);
  #next: Micros | undefined;

  constructor(track: TrackId, format: 'adts' | 'mpeg') {
    this.#track = track;
    this.#format = format === 'adts' ? ADTS : MPEG_AUDIO;
  }

  read({ pts, data }: TimedPayload): MediaEvent[] {
    const events: MediaEvent[] = [];
    const bytes = this.#kept.length === 0 ? data : Buffer.concat([this.#kept, data]);
    const newFrom = this.#kept.length;
    let position = 0;
    let stamped = pts === undefined;
    while (position < bytes.length) {
      const header = this.#headerAt(bytes, position);
      if (header === 'none') {
        position += 1;
        continue;
      }
      if (header === undefined || position + header.frameLength > bytes.length) break;
      // A PES packet's time is that of the first frame that begins in it. ISO 13818-1 §2.4.3.7
      if (!stamped && position >= newFrom) {
        this.#next = pts;
        stamped = true;
      }
      const frame = bytes.subarray(position, position + header.frameLength);
      this.#emit(events, header, frame);
      position += header.frameLength;
    }
    this.#kept = Buffer.from(bytes.subarray(position));
    // The frame that was cut off begins in this packet, and has its time.
    if (!stamped && position >= newFrom) this.#next = pts;
    return events;
  }

  reset(): void {
    this.#kept = Buffer.alloc(0);
    this.#next = undefined;
  }

  #headerAt(bytes: Buffer, position: number): AudioFrameHeader | 'none' | undefined {
    try {
      return this.#format.parse(bytes, position);
    } catch (error) {
      if (error instanceof MediaError) return 'none';
      throw error;
    }
  }

  #emit(events: MediaEvent[], header: AudioFrameHeader, frame: Buffer): void {
    const time = this.#next;
    if (time === undefined) return;
    events.push(...this.#configs.update(header.config(this.#track, frame)));
    const data = frame.subarray(header.headerLength);
    const sample = { track: this.#track, kind: 'audio' as const, dts: time, pts: time, keyframe: true, data };
    events.push({ type: 'sample', sample });
    this.#next = micros(time + header.duration);
  }
}

/** 11 bits in front of each packet. */
const OPUS_PREFIX = 0x7fe0;
const OPUS_PREFIX_MASK = 0xffe0;
/** What encoders skip at the start; 6.5 ms at 48 kHz, and TS doesn't say. */
const OPUS_PRE_SKIP = 312;

/** Opus in MPEG-TS: packets behind control headers. */
export class OpusReader implements ElementaryReader {
  readonly #track: TrackId;
  readonly #channels: number;
  readonly #configs = new ConfigTracker();

  constructor(track: TrackId, channels: number) {
    this.#track = track;
    this.#channels = channels;
  }

  read({ pts, data }: TimedPayload): MediaEvent[] {
    if (pts === undefined) return [];
    const head = buildOpusHead({ channels: this.#channels, preSkip: OPUS_PRE_SKIP, inputSampleRate: 48_000 });
    const events = this.#configs.update(opusTrackConfig(this.#track, head));
    let time = pts;
    for (const packet of splitOpusPackets(data)) {
      const sample = { track: this.#track, kind: 'audio' as const, dts: time, pts: time, keyframe: true, data: packet };
      events.push({ type: 'sample', sample });
      time = micros(time + opusPacketDuration(packet));
    }
    return events;
  }

  reset(): void {}
}

function splitOpusPackets(data: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let at = 0;
  while (at + 2 <= data.length) {
    const control = data.readUInt16BE(at);
    if ((control & OPUS_PREFIX_MASK) !== OPUS_PREFIX) break;
    at += 2;
    let size = 0;
    for (let byte = 255; byte === 255 && at < data.length; ) {
      byte = data[at++] ?? 0;
      size += byte;
    }
    if ((control & 0x10) !== 0) at += 2; // start trim
    if ((control & 0x08) !== 0) at += 2; // end trim
    if ((control & 0x04) !== 0) at += 1 + (data[at] ?? 0); // extension
    if (size === 0 || at + size > data.length) break;
    packets.push(data.subarray(at, at + size));
    at += size;
  }
  return packets;
}
