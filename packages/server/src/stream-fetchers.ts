import {
  type LiveConfig,
  Refusal,
  renditionOf,
  type StreamFetcher,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';

/** The first that can fetch a path does. @param fetchers undefined for those that are off, or not there yet */
export function firstOf(fetchers: readonly (() => StreamFetcher | undefined)[]): StreamFetcher {
  const fetcherOf = (path: StreamPath): StreamFetcher | undefined => {
    for (const fetcher of fetchers) if (fetcher()?.canFetch(path)) return fetcher();
    return undefined;
  };
  return {
    canFetch: (path) => fetcherOf(path) !== undefined,
    fetch: (path, viewer) => fetcherOf(path)?.fetch(path, viewer),
  };
}

/** A rendition is made here, of its source: it is the source that is fetched. */
export function sourceFetcher(
  live: LiveConfig,
  parts: () => { router: StreamRouter; fetcher: StreamFetcher },
): () => StreamFetcher {
  const sourceOf = (path: StreamPath) => renditionOf(live.current, path)?.source;
  const fetcher: StreamFetcher = {
    canFetch: (path) => parts().fetcher.canFetch(sourceOf(path) ?? path),
    fetch: (path, viewer) => {
      const { router, fetcher: own } = parts();
      const source = sourceOf(path);
      if (source === undefined) {
        own.fetch(path, viewer);
        return;
      }
      router.waitFor(source, new AbortController().signal, { viewer }).catch((error: unknown) => {
        if (error instanceof Refusal) router.refuse(path, error);
      });
    },
  };
  return () => fetcher;
}
