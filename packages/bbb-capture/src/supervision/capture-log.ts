import type { CaptureLogLine, Clock, Logger } from '@sluice/core';

/** Enough for what went before the end of a capture. */
const MOST_LINES = 300;

/** The last lines that a capture has written into the log, kept with it. Those of the level debug are not. */
export class CaptureLog {
  readonly log: Logger;
  readonly #lines: CaptureLogLine[] = [];

  /** @param options.capture the id, which each line in the server's log is marked with */
  constructor({ capture, clock, log }: { readonly capture: string; readonly clock: Clock; readonly log: Logger }) {
    const writing =
      (level: CaptureLogLine['level']): Logger['info'] =>
      (fields, message) => {
        this.#keep({ at: clock.wall(), level, message, fields: { ...fields } });
        log[level]({ capture, ...fields }, message);
      };
    this.log = {
      debug: (fields, message) => log.debug({ capture, ...fields }, message),
      info: writing('info'),
      warn: writing('warn'),
      error: writing('error'),
    };
  }

  /** The oldest first. */
  get lines(): readonly CaptureLogLine[] {
    return this.#lines;
  }

  #keep(line: CaptureLogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
  }
}
