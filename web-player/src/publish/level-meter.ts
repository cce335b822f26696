import { fallingLevel, peakLevel, SILENCE_DB } from './sound-level.js';

/** About 20 ms at 48 kHz, so that pictures at 60 Hz miss little in between. */
const WINDOW = 1024;

/** Listens to a track and says how loud it is. */
export class LevelMeter {
  readonly #context = new AudioContext();
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  #source: MediaStreamAudioSourceNode | undefined;
  #level = SILENCE_DB;
  #readAt = 0;

  constructor() {
    this.#analyser = new AnalyserNode(this.#context, { fftSize: WINDOW });
    this.#samples = new Float32Array(this.#analyser.fftSize);
  }

  /** Listens to another track, or to none. */
  listen(track: MediaStreamTrack | undefined): void {
    this.#source?.disconnect();
    this.#source = track && this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source?.connect(this.#analyser);
    this.#level = SILENCE_DB;
  }

  /** Some browsers let no sound be worked on before the first click or key. */
  async wake(): Promise<void> {
    if (this.#context.state === 'suspended') await this.#context.resume();
  }

  /**
   * The level to show, in dB below full scale: `SILENCE_DB` to 0.
   *
   * @param now ms
   */
  read(now: number): number {
    if (this.#source === undefined) return SILENCE_DB;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    this.#level = fallingLevel(this.#level, peakLevel(this.#samples), Math.max(0, now - this.#readAt) / 1000);
    this.#readAt = now;
    return this.#level;
  }
}
