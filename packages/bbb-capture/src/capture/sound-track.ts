import { type GrowingPauses, growingPause } from '@sluice/core';
import { aacTrackConfig, buildAudioSpecificConfig, micros, type Sample, type TrackConfig } from '@sluice/media';
import { AAC_OBJECT_TYPE_LC, AAC_PRIMING_FRAMES, AAC_SAMPLES, AacEncoder } from './aac-encoder.js';
import { type SoundStep, SoundTimeline } from './sound-timeline.js';

export interface SoundTrackOptions {
  readonly ffmpeg: string;
  readonly track: number;
  readonly bitsPerSecond: number;
  readonly onConfig: (config: TrackConfig) => void;
  readonly onSample: (sample: Sample) => void;
  /** ffmpeg ended by itself, or fell behind; it is begun anew with the sound that comes after a pause. */
  readonly onTrouble: (reason: string) => void;
  /** It ended again and again, and gave nothing: it is not begun any more. */
  readonly onLost: (reason: string) => void;
  /** Between one that failed and the next; after the first failure there is none: sound that breaks off is heard. */
  readonly pauses?: GrowingPauses;
}

const PAUSES = { firstMs: 500, longestMs: 5000 } as const;
/** In a row, without any sound between them. */
const MOST_FAILURES = 5;

/** Sound of a tab into samples of AAC. */
export class SoundTrack {
  readonly #options: SoundTrackOptions;
  #timeline = new SoundTimeline();
  #encoder: AacEncoder | undefined;
  #rate = 0;
  #last = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** Milliseconds, monotonic. */
  #notBefore = 0;
  #isClosed = false;

  constructor(options: SoundTrackOptions) {
    this.#options = options;
  }

  get encoderPid(): number | undefined {
    return this.#encoder?.pid;
  }

  /**
   * @param time of the first sample, microseconds
   * @param pcm interleaved stereo, 32-bit floats
   */
  write(time: number, sampleRate: number, pcm: Buffer): void {
    if (this.#isGoing) this.#take(this.#timeline.push(time, sampleRate, pcm));
  }

  /** Silence up to a time, where the tab gives no sound. */
  fillUntil(time: number): void {
    if (this.#isGoing) this.#take(this.#timeline.fillUntil(time));
  }

  close(): void {
    this.#isClosed = true;
    this.#encoder?.close();
  }

  get #isGoing(): boolean {
    return !this.#isClosed && performance.now() >= this.#notBefore;
  }

  #take(step: SoundStep | undefined): void {
    if (step === undefined) return;
    if (step.type === 'restart') this.#restart(step.time, step.sampleRate);
    if (this.#encoder?.write(step.pcm) === false) this.#lose('ffmpeg takes the sound too slowly');
  }

  #restart(start: number, sampleRate: number): void {
    const { ffmpeg, bitsPerSecond, track, onSample, onConfig } = this.#options;
    this.#encoder?.close();
    if (sampleRate !== this.#rate) {
      this.#rate = sampleRate;
      const objectType = AAC_OBJECT_TYPE_LC;
      onConfig(aacTrackConfig(track, buildAudioSpecificConfig({ objectType, sampleRate, channelConfiguration: 2 })));
    }
    const onFrame = (data: Buffer, index: number) => {
      const seconds = ((index - AAC_PRIMING_FRAMES) * AAC_SAMPLES) / sampleRate;
      const time = Math.max(Math.round(start + seconds * 1_000_000), this.#last + 1);
      this.#last = time;
      this.#failures = 0;
      onSample({ track, kind: 'audio', dts: micros(time), pts: micros(time), keyframe: true, data });
    };
    this.#encoder = new AacEncoder({
      ffmpeg,
      sampleRate,
      bitsPerSecond,
      onFrame,
      onEnd: (reason) => this.#lose(reason),
    });
  }

  #lose(reason: string): void {
    this.#encoder?.close();
    this.#encoder = undefined;
    this.#timeline = new SoundTimeline();
    const { pauses = PAUSES, onLost, onTrouble } = this.#options;
    this.#failures += 1;
    if (this.#failures > MOST_FAILURES) {
      this.close();
      onLost(reason);
      return;
    }
    if (this.#failures > 1) this.#notBefore = performance.now() + growingPause(this.#failures - 1, pauses);
    onTrouble(reason);
  }
}
