import { describe, expect, it } from 'vitest';
import type { StreamView } from '../../feed/views.js';
import { chooseStreams } from './choose-streams.js';

const stream = (path: string, bitrate: number, viewers: number, state: 'good' | 'warning' | 'bad') =>
  ({
    path,
    viewersByProtocol: viewers === 0 ? {} : { hls: viewers },
    figures: { bitrate },
    health: { state, reasons: [] },
  }) as unknown as StreamView;

const STREAMS = [
  stream('live/show10', 100, 0, 'good'),
  stream('live/show9', 300, 2, 'warning'),
  stream('vip/gala', 200, 5, 'bad'),
];
const paths = (choice: Parameters<typeof chooseStreams>[1]) => chooseStreams(STREAMS, choice).map(({ path }) => path);

describe('the streams of the board', () => {
  it.each([
    [{ search: '', show: 'all', sort: 'name' }, ['live/show9', 'live/show10', 'vip/gala']],
    [{ search: ' SHOW', show: 'all', sort: 'bitrate' }, ['live/show9', 'live/show10']],
    [{ search: '', show: 'troubled', sort: 'health' }, ['vip/gala', 'live/show9']],
    [{ search: '', show: 'watched', sort: 'viewers' }, ['vip/gala', 'live/show9']],
  ] as const)('%j', (choice, expected) => {
    expect(paths(choice)).toEqual(expected);
  });
});
