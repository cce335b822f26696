import { aacTrackConfig, buildAudioSpecificConfig, parseAdtsHeader } from '../codecs/aac.js';
import { mp3TrackConfig, parseMp3FrameHeader } from '../codecs/mp3.js';
import { MediaError } from '../errors.js';
import { type Micros, micros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';
import { ConfigTracker, type ElementaryReader, type TimedPayload } from './elementary-reader.js';
import type { TsEvent } from './events.js';

/** What tells one audio frame from the next in a byte stream. */
interface FrameFormat {
  /** Of the header's first 16 bits. */
  readonly syncMask: number;
  readonly syncWord: number;
  /** @returns undefined while the header is incomplete. Throws where there is no header. */
  readonly parse: (bytes: Buffer, offset: number) => FrameHeader | undefined;
}

interface FrameHeader {
  readonly headerLength: number;
  /** With the header. */
  readonly frameLength: number;
  readonly samples: number;
  readonly sampleRate: number;
  readonly config: (track: TrackId, frame: Buffer) => TrackConfig;
}

const AAC_SAMPLES_PER_FRAME = 1024;

const FORMATS: Readonly<Record<'adts' | 'mp3', FrameFormat>> = {
  adts: {
    syncMask: 0xfff6,
    syncWord: 0xfff0,
    parse: (bytes, offset) => {
      const header = parseAdtsHeader(bytes, offset);
      if (header === undefined) return undefined;
      return {
        headerLength: header.headerLength,
        frameLength: header.frameLength,
        samples: AAC_SAMPLES_PER_FRAME,
        sampleRate: header.sampleRate,
        config: (track) => aacTrackConfig(track, buildAudioSpecificConfig(header)),
      };
    },
  },
  mp3: {
    syncMask: 0xffe0,
    syncWord: 0xffe0,
    parse: (bytes, offset) => {
      const header = parseMp3FrameHeader(bytes, offset);
      if (header === undefined) return undefined;
      const { layer, frameLength, samplesPerFrame: samples, sampleRate } = header;
      if (layer !== 3) throw new MediaError('unsupported', `MPEG audio layer ${layer}; send AAC or MP3`);
      return { headerLength: 0, frameLength, samples, sampleRate, config: mp3TrackConfig };
    },
  },
};

/** What looks like a header and is none is rare; each costs an exception, and a sender could make all bytes so. */
const MAX_FALSE_HEADERS = 4;

/**
 * AAC in ADTS, or MP3: frames that may begin and end anywhere in the PES packets. The first one, and the first one
 * after a loss, is believed only where another one follows or the payload ends with it: the sync word is short, and
 * coded sound has it by chance.
 */
export class FramedAudioReader implements ElementaryReader {
  readonly #track: TrackId;
  readonly #format: FrameFormat;
  readonly #configs = new ConfigTracker();
  #kept: Buffer = NONE;
  #synced = false;
  /** The last time that a PES packet gave, and the samples since. */
  #anchor: Micros | undefined;
  #samplesSince = 0;
  #rate = 0;

  constructor(track: TrackId, format: 'adts' | 'mp3') {
    this.#track = track;
    this.#format = FORMATS[format];
  }

  read({ pts, data }: TimedPayload, events: TsEvent[]): void {
    const bytes = this.#kept.length === 0 ? data : Buffer.concat([this.#kept, data]);
    const newFrom = this.#kept.length;
    this.#kept = NONE;
    let unstamped = pts;
    let problem: MediaError | undefined;
    let falseHeaders = 0;
    let at = 0;
    for (;;) {
      if (!this.#synced) at = this.#findSyncWord(bytes, at);
      if (at >= bytes.length) break;
      const header = this.#headerAt(bytes, at);
      if (header instanceof MediaError || (header !== undefined && !this.#isTrusted(bytes, at, header))) {
        if (header instanceof MediaError) problem ??= header;
        this.#synced = false;
        falseHeaders += 1;
        at = falseHeaders > MAX_FALSE_HEADERS ? bytes.length : at + 1;
        continue;
      }
      // A PES packet's time is that of the first frame that begins in it. ISO 13818-1 §2.4.3.7
      if (unstamped !== undefined && at >= newFrom) {
        this.#setTime(unstamped);
        unstamped = undefined;
      }
      const end = header === undefined ? Number.POSITIVE_INFINITY : at + header.frameLength;
      if (header === undefined || end > bytes.length) break;
      this.#emit(header, bytes.subarray(at, end), events);
      at = end;
    }
    if (at < bytes.length) this.#kept = Buffer.from(bytes.subarray(at));
    if (problem !== undefined) throw problem;
  }

  reset(): void {
    this.#kept = NONE;
    this.#synced = false;
    this.#anchor = undefined;
  }

  #findSyncWord(bytes: Buffer, from: number): number {
    const { syncMask, syncWord } = this.#format;
    let at = bytes.indexOf(0xff, from);
    while (at >= 0 && at + 1 < bytes.length && (bytes.readUInt16BE(at) & syncMask) !== syncWord) {
      at = bytes.indexOf(0xff, at + 1);
    }
    return at < 0 ? bytes.length : at;
  }

  /** @returns undefined where the bytes end before the header does */
  #headerAt(bytes: Buffer, at: number): FrameHeader | MediaError | undefined {
    try {
      return this.#format.parse(bytes, at);
    } catch (error) {
      if (error instanceof MediaError) return error;
      throw error;
    }
  }

  #isTrusted(bytes: Buffer, at: number, header: FrameHeader): boolean {
    const end = at + header.frameLength;
    if (this.#synced || end >= bytes.length) return true;
    const next = this.#headerAt(bytes, end);
    return next === undefined || (!(next instanceof MediaError) && next.sampleRate === header.sampleRate);
  }

  #setTime(time: Micros): void {
    this.#anchor = time;
    this.#samplesSince = 0;
  }

  #emit(header: FrameHeader, frame: Buffer, events: TsEvent[]): void {
    this.#synced = true;
    if (this.#anchor === undefined) return;
    const time = micros(this.#anchor + this.#elapsed());
    if (header.sampleRate !== this.#rate) {
      this.#setTime(time);
      this.#rate = header.sampleRate;
    }
    this.#configs.update(header.config(this.#track, frame), events);
    const data = frame.subarray(header.headerLength);
    const sample = { track: this.#track, kind: 'audio' as const, dts: time, pts: time, keyframe: true, data };
    events.push({ type: 'sample', sample });
    this.#samplesSince += header.samples;
  }

  #elapsed(): number {
    return this.#samplesSince === 0 ? 0 : Math.round((this.#samplesSince * 1_000_000) / this.#rate);
  }
}

const NONE = Buffer.alloc(0);
