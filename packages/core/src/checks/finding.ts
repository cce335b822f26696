/** What a check came to. `warning`: it works, but not for everybody or not for long. */
export type Status = 'ok' | 'warning' | 'failed';

/** One check, for an operator to read. */
export interface Finding {
  /** What was looked at: `RTMP, tcp 1935`. */
  readonly check: string;
  readonly status: Status;
  readonly found: string;
  /** What to change; undefined where all is well. */
  readonly advice?: string;
}

export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found };
}

export function warning(check: string, found: string, advice: string): Finding {
  return { check, status: 'warning', found, advice };
}

export function failed(check: string, found: string, advice: string): Finding {
  return { check, status: 'failed', found, advice };
}
