import type { ApiClient, Query } from '../api-client/api-client.js';
import { ApiFailure } from '../api-client/api-failure.js';
import { EventStreamReader, type ServerEvent } from './event-stream.js';

/** The server sends something each second; after a silence like this the line is dead. */
const SILENCE_MS = 6000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const CHECK_MS = 1000;

export interface EventSourceOptions {
  readonly api: ApiClient;
  readonly path: string;
  readonly query?: Query;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServerEvent) => void;
  /** Whether events come. `error`: why not. */
  readonly onStatus: (isLive: boolean, error?: unknown) => void;
}

/**
 * Follows events of the API for as long as the signal lets it, and begins anew when they break off. By `fetch`, because
 * the browser's own EventSource can't send a token but in the URL.
 */
export async function followEvents(options: EventSourceOptions): Promise<void> {
  const { signal, onStatus } = options;
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      await readOnce(options, () => {
        wait = FIRST_WAIT_MS;
        onStatus(true);
      });
    } catch (error) {
      if (signal.aborted) return;
      onStatus(false, error);
      // Without the right to, asking again changes nothing.
      if (error instanceof ApiFailure && (error.status === 401 || error.status === 403)) return;
      await pause(wait * (0.75 + Math.random() / 2), signal);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }
}

/** @throws where it breaks off; returns where the server says that it is time for a new one */
async function readOnce({ api, path, query = {}, signal, onEvent }: EventSourceOptions, onLive: () => void) {
  const line = new AbortController();
  const abort = () => line.abort();
  signal.addEventListener('abort', abort, { once: true });
  let heardAt = performance.now();
  const watch = setInterval(() => {
    if (performance.now() - heardAt > SILENCE_MS) line.abort();
  }, CHECK_MS);
  try {
    const response = await api.fetch('GET', path, { query, signal: line.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) throw new Error('the answer has no body');
    const events = new EventStreamReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error('the server has ended the feed');
      heardAt = performance.now();
      for (const event of events.push(value)) {
        if (event.name === 'renew') return;
        onEvent(event);
        onLive();
      }
    }
  } finally {
    clearInterval(watch);
    signal.removeEventListener('abort', abort);
    line.abort();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
