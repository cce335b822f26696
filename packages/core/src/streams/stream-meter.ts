import type { Millis, Sample, TrackId } from '@sluice/media';
import { FigureHistory, type FigureSeries } from './figure-history.js';

/** What is measured of a stream; undefined for what isn't known yet. */
export interface StreamFigures {
  /** Bit/s that came in over the last seconds. */
  readonly bitrate: number;
  /** Pictures a second over the last seconds; undefined without a picture track. */
  readonly fps: number | undefined;
  /** What `fps` usually is here: the mean of the last minutes. Undefined at first, and just after the encoder came back. */
  readonly usualFps: number | undefined;
  /** Seconds between the last two keyframes, by the stream's own time. */
  readonly keyframeInterval: number | undefined;
  /** Seconds since the last keyframe. */
  readonly sinceKeyframe: number | undefined;
  /**
   * How far sound and picture have moved apart since the encoder began, in ms; positive: sound is ahead. What comes
   * together at the beginning counts as together, because some encoders take longer over pictures.
   */
  readonly avDrift: number | undefined;
  /** Seconds for which nothing has come, and no picture. */
  readonly silentSeconds: number;
  readonly picturelessSeconds: number;
  /** How often the encoder came back in the last minutes. */
  readonly reconnects: number;
}

/** Rates are of so many seconds. */
const RATE_SLOTS = 5;
const USUAL_SLOTS = 30;
/** Of a publication's beginning, which comes in a burst. */
const SETTLING_TICKS = 2;
/** From which the place of sound beside the picture is taken. */
const BASE_TICKS = 5;
/** How much of a new second is believed: sound comes in packs, and its place jumps by as much. */
const SMOOTHING = 0.3;
const RECONNECT_WINDOW_MS = 300_000;
const MICROS_PER_MS = 1000;
const MICROS_PER_SECOND = 1_000_000;

/**
 * Measures what comes into a stream: `received` and `note` for each sample, without an allocation; `tick` about once a
 * second, which makes the figures.
 */
export class StreamMeter {
  readonly #history = new FigureHistory();
  #figures: StreamFigures = {
    bitrate: 0,
    fps: undefined,
    usualFps: undefined,
    keyframeInterval: undefined,
    sinceKeyframe: undefined,
    avDrift: undefined,
    silentSeconds: 0,
    picturelessSeconds: 0,
    reconnects: 0,
  };
  #tickedAt: Millis;
  /** Since the last tick. */
  #bytes = 0;
  #pictures = 0;
  #hadKeyframe = false;
  #hadSound = false;
  #offsetSum = 0;
  #offsets = 0;
  /** Since the encoder began. */
  #videoTrack: TrackId | undefined;
  #audioTrack: TrackId | undefined;
  #audioDts = 0;
  /** Since its first bytes, of which the first second lacks a part. */
  #ticks = 0;
  #keyframeDts: number | undefined;
  #keyframeInterval: number | undefined;
  #keyframeAt: Millis | undefined;
  #heardAt: Millis;
  #seenAt: Millis;
  #offset: number | undefined;
  #offsetTicks = 0;
  #base = 0;
  #reconnects: Millis[] = [];

  /** @param now monotonic, as in `tick` */
  constructor(now: Millis) {
    this.#tickedAt = now;
    this.#heardAt = now;
    this.#seenAt = now;
  }

  get figures(): StreamFigures {
    return this.#figures;
  }

  /** The last ten minutes, by the second. */
  get history(): FigureSeries {
    return this.#history.series();
  }

  /** Bit/s of each of the last seconds, oldest first. */
  bitrates(seconds: number): readonly number[] {
    return this.#history.bitrates(seconds);
  }

  /** Bytes of a sample, whatever becomes of it. */
  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A sample on the stream's timeline. Of several tracks of a kind the first counts. */
  note({ track, kind, dts, keyframe }: Sample): void {
    if (kind === 'audio') {
      this.#audioTrack ??= track;
      if (track !== this.#audioTrack) return;
      this.#audioDts = dts;
      this.#hadSound = true;
      return;
    }
    this.#videoTrack ??= track;
    if (track !== this.#videoTrack) return;
    this.#pictures += 1;
    if (keyframe) {
      if (this.#keyframeDts !== undefined) this.#keyframeInterval = (dts - this.#keyframeDts) / MICROS_PER_SECOND;
      this.#keyframeDts = dts;
      this.#hadKeyframe = true;
    }
    if (this.#audioTrack === undefined) return;
    this.#offsetSum += this.#audioDts - dts;
    this.#offsets += 1;
  }

  /** Another publication goes on with the stream. */
  restart(now: Millis): void {
    this.#videoTrack = undefined;
    this.#audioTrack = undefined;
    this.#keyframeDts = undefined;
    this.#keyframeInterval = undefined;
    this.#keyframeAt = undefined;
    this.#offset = undefined;
    this.#offsetTicks = 0;
    this.#offsetSum = 0;
    this.#offsets = 0;
    this.#ticks = 0;
    this.#tickedAt = now;
    this.#bytes = 0;
    this.#pictures = 0;
    this.#heardAt = now;
    this.#seenAt = now;
    this.#reconnects.push(now);
  }

  /** Makes the figures of the second that has passed. @param viewers of the stream, kept with its history */
  tick(now: Millis, wall: Millis, viewers: number): void {
    const seconds = (now - this.#tickedAt) / 1000;
    if (seconds <= 0) return;
    this.#tickedAt = now;
    // Before the first bytes there is nothing to count from.
    if (this.#ticks > 0 || this.#bytes > 0) this.#ticks += 1;
    if (this.#bytes > 0) this.#heardAt = now;
    if (this.#pictures > 0) this.#seenAt = now;
    if (this.#hadKeyframe) this.#keyframeAt = now;
    while (this.#reconnects[0] !== undefined && now - this.#reconnects[0] > RECONNECT_WINDOW_MS) {
      this.#reconnects.shift();
    }
    const avDrift = this.#drift();
    this.#history.push({
      wall,
      seconds,
      viewers,
      bytes: this.#bytes,
      pictures: this.#pictures,
      keyframeInterval: this.#keyframeInterval,
      avDrift,
    });
    const hasPicture = this.#videoTrack !== undefined;
    const { bytes, pictures } = this.#history.rates(Math.max(1, Math.min(RATE_SLOTS, this.#ticks - 1)));
    const isUsual = this.#ticks > RATE_SLOTS && this.#history.size >= USUAL_SLOTS;
    this.#figures = {
      bitrate: Math.round(bytes * 8),
      fps: hasPicture ? Math.round(pictures * 100) / 100 : undefined,
      usualFps: hasPicture && isUsual ? this.#history.usualPictures() : undefined,
      keyframeInterval: this.#keyframeInterval,
      sinceKeyframe: this.#keyframeAt === undefined ? undefined : (now - this.#keyframeAt) / 1000,
      avDrift,
      silentSeconds: (now - this.#heardAt) / 1000,
      picturelessSeconds: (now - this.#seenAt) / 1000,
      reconnects: this.#reconnects.length,
    };
    this.#bytes = 0;
    this.#pictures = 0;
    this.#hadKeyframe = false;
    this.#hadSound = false;
  }

  /** Where sound is beside the picture as they come in, against where it was when they began. */
  #drift(): number | undefined {
    const [sum, count] = [this.#offsetSum, this.#offsets];
    this.#offsetSum = 0;
    this.#offsets = 0;
    // An encoder that sends no sound for a while has not drifted.
    if (count === 0 || !this.#hadSound) return this.#figures.avDrift;
    const offset = sum / count / MICROS_PER_MS;
    this.#offsetTicks += 1;
    const ticks = this.#offsetTicks - SETTLING_TICKS;
    if (ticks <= 0) return undefined;
    if (ticks <= BASE_TICKS) {
      this.#base = ticks === 1 ? offset : this.#base + (offset - this.#base) / ticks;
      this.#offset = this.#base;
      return ticks < BASE_TICKS ? undefined : 0;
    }
    this.#offset = (this.#offset ?? offset) + (offset - (this.#offset ?? offset)) * SMOOTHING;
    return Math.round(this.#offset - this.#base);
  }
}
