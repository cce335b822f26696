/** What a look at the picture told. */
export interface Look {
  readonly moving: boolean;
  /** Milliseconds since it moved, or since there was a reason to expect that it would. */
  readonly stillFor: number;
  readonly pausedFor: number;
  /** Whether it has moved since the engine started. */
  readonly hasMoved: boolean;
  /** Milliseconds since the engine started. */
  readonly age: number;
}

/** Watches the media time of one engine: does the picture move? */
export class PictureWatch {
  readonly #startedAt: number;
  #time: number;
  #movedAt: number;
  #pausedAt: number | undefined;
  #hasMoved = false;

  constructor(now: number, currentTime: number) {
    this.#startedAt = now;
    this.#movedAt = now;
    this.#time = currentTime;
  }

  look(now: number, currentTime: number, paused: boolean): Look {
    const moving = !paused && currentTime !== this.#time;
    this.#time = currentTime;
    if (moving) this.#hasMoved = true;
    if (moving || paused) this.#movedAt = now;
    this.#pausedAt = paused ? (this.#pausedAt ?? now) : undefined;
    return {
      moving,
      stillFor: now - this.#movedAt,
      pausedFor: this.#pausedAt === undefined ? 0 : now - this.#pausedAt,
      hasMoved: this.#hasMoved,
      age: now - this.#startedAt,
    };
  }

  /** A seek changes the time, but moves nothing. */
  sought(currentTime: number): void {
    this.#time = currentTime;
  }

  /** From now on it should move: the encoder is back. */
  expectMove(now: number): void {
    this.#movedAt = now;
  }
}
