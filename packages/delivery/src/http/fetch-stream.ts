import { setTimeout as sleep } from 'node:timers/promises';
import type { Asker, Stream, StreamPath, StreamRouter } from '@sluice/core';
import type { MediaResponse } from './media-response.js';

const LOOK_MS = 50;

/**
 * A stream that comes from elsewhere, with what is wanted of it, if that is there soon.
 *
 * @param options.response of who asks, for as long as that is open
 * @param options.until whether it has what is wanted
 * @throws {Refusal} where it doesn't come
 */
export async function fetchStream(
  router: StreamRouter,
  path: StreamPath,
  options: {
    readonly viewer: Asker;
    readonly response: MediaResponse;
    readonly withinMs: number;
    readonly until: (stream: Stream) => boolean;
  },
): Promise<Stream> {
  const { viewer, response, withinMs, until } = options;
  const left = new AbortController();
  const leave = () => left.abort();
  const patience = AbortSignal.timeout(withinMs);
  response.once('close', leave);
  try {
    const signal = AbortSignal.any([left.signal, patience]);
    const stream = await router.waitFor(path, signal, { viewer });
    while (!signal.aborted && !until(stream)) await sleep(LOOK_MS);
    return stream;
  } finally {
    response.off('close', leave);
  }
}
