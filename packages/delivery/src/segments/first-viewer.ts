import { Refusal, type Stream, type StreamRouter } from '@sluice/core';
import type { Departure } from './departure.js';
import type { KnownViewer, ViewerSessions } from './viewer-sessions.js';

export interface FirstViewer {
  readonly viewer: KnownViewer;
  readonly departure: Departure;
  readonly router: StreamRouter;
  readonly sessions: ViewerSessions;
}

/**
 * Makes something of a stream that is not here yet: a rendition is made, and a stream fetched, because of its first
 * viewer, who waits for it. Who gets nothing is no viewer.
 *
 * @param mayCome whether there is any hope of the stream
 * @throws {Refusal} `not-live`, what the router says, or what `make` does
 */
export async function forFirstViewer<T>(
  { viewer, departure, router, sessions }: FirstViewer,
  mayCome: boolean,
  make: (stream: Stream) => T,
): Promise<T> {
  const { path } = viewer.session;
  try {
    if (!mayCome) throw new Refusal('not-live', `nobody publishes ${path}`);
    const left = new AbortController();
    departure.whenLeft = () => left.abort();
    return make(await router.waitFor(path, left.signal, { viewer: viewer.session }));
  } catch (error) {
    sessions.end(viewer, 'not live');
    throw error;
  } finally {
    departure.whenLeft = undefined;
  }
}
