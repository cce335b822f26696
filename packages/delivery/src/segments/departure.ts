/** Whether who asked is still there. An AbortSignal would do, but costs more than the rest of a small answer. */
export class Departure {
  #hasLeft = false;
  #whenLeft: (() => void) | undefined;

  /** @param response emits `close` */
  constructor(response?: { once(event: 'close', listener: () => void): unknown }) {
    response?.once('close', () => this.leave());
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Calls back when they leave, at once if they have; `undefined` takes that back. One waits at a time. */
  set whenLeft(callback: (() => void) | undefined) {
    this.#whenLeft = callback;
    if (this.#hasLeft) callback?.();
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#whenLeft?.();
  }
}
