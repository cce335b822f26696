/** What a server answered. Times are seconds on one clock. */
export interface Answer {
  /** 0 where there was none. */
  readonly status: number;
  /** Where it came from in the end. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly requestedAt: number;
  readonly receivedAt: number;
  /** Why there was none. */
  readonly failure: string | undefined;
}

/** Seconds on the clock of all answers. */
export const now = (): number => performance.now() / 1000;

/** Bytes of a resource, from the first on. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** Asks for a URL. It never rejects: no answer is an answer of status 0. */
export async function ask(url: string, signal: AbortSignal, range?: Range): Promise<Answer> {
  const requestedAt = now();
  const headers = range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
  try {
    const response = await fetch(url, { signal, headers });
    const whole = Buffer.from(await response.arrayBuffer());
    const { status } = response;
    // A server may leave ranges to its clients. RFC 9110 §14.2
    const isRange = range === undefined || status !== 200;
    const body = isRange ? whole : whole.subarray(range.offset, range.offset + range.length);
    return {
      status,
      url: response.url,
      headers: response.headers,
      body,
      requestedAt,
      receivedAt: now(),
      failure: undefined,
    };
  } catch (error) {
    const failure = error instanceof Error ? `${error.message} ${String(error.cause ?? '')}`.trim() : String(error);
    return { status: 0, url, headers: new Headers(), body: Buffer.alloc(0), requestedAt, receivedAt: now(), failure };
  }
}

export const isOk = ({ status }: Answer): boolean => status === 200 || status === 206;

/** For messages. */
export const outcome = ({ status, failure }: Answer): string => failure ?? `HTTP ${status}`;

/** Waits, or until the signal comes. @param seconds to wait */
export function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
