import { parseAudioSpecificConfig } from '../codecs/aac.js';
import { parseMp3FrameHeader } from '../codecs/mp3.js';
import { opusPacketDuration } from '../codecs/opus.js';
import { MediaError } from '../errors.js';
import type { Sample } from '../sample.js';
import { type Micros, micros } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import type { FragmentSample, TrackRun } from './track-run.js';
import { microsFromTicks, ticksFromMicros, timescaleOf } from './track-time.js';

/**
 * Sound is put where the sound before it ends, as long as its own time says the same to this many µs. Timestamps of
 * RTMP are whole milliseconds, those of frames are not.
 */
const AUDIO_TOLERANCE = 2_000;
/** How long a lone last sample lasts whose codec doesn't tell: a frame at 25 a second. */
const UNKNOWN_DURATION = micros(40_000);

interface Pending {
  readonly dts: number;
  /** It gets its duration when it is settled; nobody else has it until then. */
  readonly sample: FragmentSample & { duration: number };
  /** Of sound: what the codec says. */
  readonly duration: number | undefined;
}

/**
 * Turns the samples of one track into the runs of its fragments.
 *
 * How long a sample lasts is known when the next one comes, so that the writer holds one sample back: `take` gives what
 * is complete, and the last sample goes into the next run. It costs a frame of latency; whoever knows when the next
 * sample is due says so by `take(end)` and waits for nothing.
 *
 * Times are rounded to ticks as they stand, and durations are differences of the rounded ones, so that no error adds
 * up. Sound is joined without gaps where its timestamps are only imprecise.
 */
export class FragmentWriter {
  readonly #config: TrackConfig;
  readonly #timescale: number;
  readonly #frameDuration: (data: Buffer) => number | undefined;
  #complete: FragmentSample[] = [];
  #start = 0;
  #pending: Pending | undefined;
  /** Where the last sample that was taken ends, if its end was given: the next one can't begin before. */
  #end = Number.NEGATIVE_INFINITY;
  #lastDuration: number;
  #lastDts: Micros | undefined;

  /** @throws {MediaError} where the configuration can't be read */
  constructor(config: TrackConfig) {
    this.#config = config;
    this.#timescale = timescaleOf(config);
    this.#frameDuration = frameDurationOf(config, this.#timescale);
    this.#lastDuration = ticksFromMicros(UNKNOWN_DURATION, this.#timescale);
  }

  get timescale(): number {
    return this.#timescale;
  }

  /** How long the samples last that `take()` would give. */
  get duration(): Micros {
    const ticks = this.#complete.reduce((total, { duration }) => total + duration, 0);
    return microsFromTicks(ticks, this.#timescale);
  }

  /** Whether `take()` would give a run that begins at a keyframe. */
  get beginsWithKeyframe(): boolean {
    return this.#complete[0]?.keyframe ?? false;
  }

  /**
   * @throws {MediaError} `no-config` for a sample of another track, `malformed` where decoding times don't increase;
   *   the writer can go on with the next sample
   */
  push(sample: Sample): void {
    const { track } = this.#config;
    if (sample.track !== track) {
      throw new MediaError('no-config', `a sample of track ${sample.track} for the writer of track ${track}`);
    }
    const duration = this.#frameDuration(sample.data);
    this.#checkForward(sample.dts);
    const dts = this.#place(sample);
    this.#settle(dts);
    this.#lastDts = sample.dts;
    const shown = ticksFromMicros(sample.pts, this.#timescale) - ticksFromMicros(sample.dts, this.#timescale);
    const compositionOffset = this.#config.kind === 'audio' ? 0 : shown;
    const { data, keyframe } = sample;
    this.#pending = { dts, duration, sample: { data, keyframe, duration: 0, compositionOffset } };
  }

  /**
   * The samples since the last run, without the one that is held back.
   *
   * @param end decoding time of the sample to come: then that one is among them
   * @returns undefined where there is none
   * @throws {MediaError} `malformed` where `end` isn't later than the last sample
   */
  take(end?: Micros): TrackRun | undefined {
    if (end !== undefined && this.#pending !== undefined) {
      this.#checkForward(end);
      const ticks = Math.max(ticksFromMicros(end, this.#timescale), this.#pending.dts + 1);
      this.#settle(ticks);
      this.#end = ticks;
    }
    if (this.#complete.length === 0) return undefined;
    const { track, kind } = this.#config;
    const samples = this.#complete;
    this.#complete = [];
    return { track, kind, timescale: this.#timescale, baseDecodeTime: this.#start, samples };
  }

  /** All that is left: the last sample lasts as long as its codec says, or else as the one before it. */
  finish(): TrackRun | undefined {
    const pending = this.#pending;
    if (pending !== undefined) {
      this.#settle(pending.dts + (pending.duration ?? this.#lastDuration));
      this.#end = Number.NEGATIVE_INFINITY;
    }
    return this.take();
  }

  /** Ends the sample that is held back at `dts`, in ticks. */
  #settle(dts: number): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (this.#complete.length === 0) this.#start = pending.dts;
    this.#lastDuration = dts - pending.dts;
    pending.sample.duration = this.#lastDuration;
    this.#complete.push(pending.sample);
    this.#pending = undefined;
  }

  #place({ dts }: Sample): number {
    const ticks = ticksFromMicros(dts, this.#timescale);
    const pending = this.#pending;
    const isSound = this.#config.kind === 'audio';
    const joined = pending === undefined ? this.#end : pending.dts + (pending.duration ?? Number.NaN);
    if (isSound && Math.abs(joined - ticks) * 1_000_000 <= AUDIO_TOLERANCE * this.#timescale) return joined;
    return Math.max(ticks, pending === undefined ? this.#end : pending.dts + 1);
  }

  #checkForward(dts: Micros): void {
    const last = this.#lastDts;
    if (last === undefined || dts > last) return;
    const found = `track ${this.#config.track}: decoding time ${dts} µs after ${last} µs`;
    throw new MediaError('malformed', `${found}; let a Timeline repair the stream first`);
  }
}

/** How long a frame of sound lasts, in ticks; undefined for pictures, and where the frame doesn't tell. */
function frameDurationOf(config: TrackConfig, timescale: number): (data: Buffer) => number | undefined {
  switch (config.codec) {
    case 'aac': {
      const { samplesPerFrame, sampleRate } = parseAudioSpecificConfig(config.description);
      const duration = (samplesPerFrame * timescale) / sampleRate;
      return () => (Number.isInteger(duration) ? duration : undefined);
    }
    case 'mp3':
      return (data) => readable(() => parseMp3FrameHeader(data)?.samplesPerFrame);
    case 'opus':
      return (data) => readable(() => ticksFromMicros(opusPacketDuration(data), timescale));
    default:
      return () => undefined;
  }
}

/** A frame that can't be read is the decoder's concern; its timestamps have to do. */
function readable(duration: () => number | undefined): number | undefined {
  try {
    return duration();
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}
