/** Keeps the screen of a phone on: a page that sleeps sends nothing. */
export class WakeLock {
  #lock: WakeLockSentinel | undefined;
  #isAsking = false;

  /** Called now and then: browsers take the lock back whenever the page is hidden. */
  async hold(wanted: boolean): Promise<void> {
    if (!wanted) {
      await this.#lock?.release();
      this.#lock = undefined;
      return;
    }
    const isHeld = this.#lock !== undefined && !this.#lock.released;
    if (isHeld || this.#isAsking || document.hidden || !('wakeLock' in navigator)) return;
    this.#isAsking = true;
    try {
      this.#lock = await navigator.wakeLock.request('screen');
    } catch {
      // A battery that is nearly empty, say: then the person keeps it awake.
    }
    this.#isAsking = false;
  }
}
