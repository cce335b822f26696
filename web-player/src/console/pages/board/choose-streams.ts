import type { StreamView } from '../../feed/views.js';

/** What of the streams is shown, and in which order. */
export interface Choice {
  readonly search: string;
  readonly show: 'all' | 'troubled' | 'watched';
  readonly sort: 'name' | 'viewers' | 'bitrate' | 'health';
}

const RANK = { bad: 0, warning: 1, good: 2 } as const;

const watching = ({ viewersByProtocol }: StreamView): number =>
  Object.values(viewersByProtocol).reduce((sum, count) => sum + count, 0);

const ORDERS: Readonly<Record<Choice['sort'], (a: StreamView, b: StreamView) => number>> = {
  name: () => 0,
  viewers: (a, b) => watching(b) - watching(a),
  bitrate: (a, b) => b.figures.bitrate - a.figures.bitrate,
  health: (a, b) => RANK[a.health.state] - RANK[b.health.state],
};

/** Those that fit, in order; equal ones by their names. */
export function chooseStreams(streams: readonly StreamView[], { search, show, sort }: Choice): StreamView[] {
  const wanted = search.trim().toLowerCase();
  return streams
    .filter(
      (stream) =>
        stream.path.toLowerCase().includes(wanted) &&
        (show !== 'troubled' || stream.health.state !== 'good') &&
        (show !== 'watched' || watching(stream) > 0),
    )
    .sort((a, b) => ORDERS[sort](a, b) || a.path.localeCompare(b.path, undefined, { numeric: true }));
}
