import { describe, expect, it } from 'vitest';
import { simulateTree, type TreeOptions } from './fan-out-tree.js';

/** The same numbers each time: a linear congruential generator, after Numerical Recipes. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const OPTIONS: Omit<TreeOptions, 'random'> = {
  ...{ viewers: 100_000, streams: 100, skew: 1, regions: 5, mbps: 2, edgeMbps: 8000, natsMbps: 8000 },
  placement: 'by-stream',
  costs: { origin: 1, natsIn: 1, natsOut: 1, edge: 1, viewer: 1 },
};
const simulate = (options: Partial<TreeOptions> = {}) => simulateTree({ ...OPTIONS, random: numbers(), ...options });

describe('simulateTree', () => {
  it('gives an origin each stream to send once, whatever the viewers, and each region once', () => {
    for (const viewers of [10_000, 100_000, 1_000_000]) {
      const load = simulate({ viewers, streams: 10, skew: 0 });
      expect([load.originMbps, load.betweenRegionsMbps]).toEqual([20, 80]);
      expect(load.viewersMbps).toBe(viewers * 2);
    }
  });

  it('gives one stream to each edge once', () => {
    const load = simulate({ streams: 1, viewers: 1_000_000 });
    // 4,000 viewers an edge, and one edge to spare in each region, which by-stream leaves empty.
    expect([load.edges, load.subscriptions]).toEqual([5 * 51, 5 * 50]);
    expect(load.natsOutMbps).toBe(500);
  });

  it('needs far fewer streams on an edge where viewers of one stream meet', () => {
    const [apart, together] = [simulate({ placement: 'anywhere' }), simulate()];
    expect(apart.edges).toBe(together.edges);
    expect(apart.subscriptions).toBeGreaterThan(3 * together.subscriptions);
    expect(together.mostStreamsOnAnEdge).toBeLessThan(apart.mostStreamsOnAnEdge);
  });

  it('counts cores by what passes', () => {
    const load = simulate({ viewers: 1000, streams: 1, regions: 1, costs: { ...OPTIONS.costs, viewer: 0.5 } });
    expect([load.originCores, load.natsCores, load.edgeCores]).toEqual([1, 2, 501]);
    expect(load.natsServers).toBe(3);
  });
});
