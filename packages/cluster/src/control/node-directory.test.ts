import { millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import type { Presence } from './messages.js';
import { NodeDirectory } from './node-directory.js';

const presence = (node: string, over: Partial<Presence> = {}): Presence => ({
  node,
  epoch: '1',
  name: `node-${node}`,
  version: '1',
  since: millis(0),
  state: 'serving',
  elected: false,
  streams: 0,
  publishers: 0,
  sessions: 0,
  cpu: 0,
  memoryBytes: 0,
  urls: [],
  revision: 0,
  batch: 0,
  ...over,
});

describe('NodeDirectory', () => {
  const directory = () => new NodeDirectory({ leaseMs: 1000, rememberMs: 5000 });

  it('tells who comes, who was started anew, and who is lost', () => {
    const nodes = directory();
    expect(nodes.hear(presence('a'), millis(0))).toBe('came');
    expect(nodes.hear(presence('a', { sessions: 2, publishers: 1 }), millis(500))).toBe('same');
    expect(nodes.list()).toMatchObject([{ name: 'node-a', state: 'serving', role: 'origin', sessions: 2 }]);
    expect(nodes.hear(presence('a', { epoch: '2' }), millis(900))).toBe('restarted');
    expect(nodes.sweep(millis(1900))).toEqual([]);
    expect(nodes.sweep(millis(1901))).toMatchObject([{ node: 'a' }]);
    expect([nodes.present, nodes.sweep(millis(1902))]).toEqual([[], []]);
    expect(nodes.list()).toMatchObject([{ name: 'node-a', state: 'lost', sessions: 0 }]);
    nodes.sweep(millis(6000));
    expect(nodes.list()).toEqual([]);
  });

  it('sends nobody to a node that is drained, lost or without an address', () => {
    const nodes = directory();
    const urls = ['https://a.example.org'];
    nodes.hear(presence('a', { urls }), millis(0));
    nodes.hear(presence('b', { urls, state: 'draining' }), millis(0));
    nodes.hear(presence('c'), millis(0));
    nodes.hear(presence('d', { urls }), millis(0));
    nodes.leave('d');
    expect(nodes.places()).toMatchObject([{ name: 'node-a', urls }]);
    nodes.sweep(millis(2000));
    expect(nodes.places()).toEqual([]);
  });
});
