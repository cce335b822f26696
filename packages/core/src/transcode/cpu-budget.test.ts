import { describe, expect, it } from 'vitest';
import { loadConfig, settingsFor } from '../config/load.js';
import type { RenditionSettings } from '../config/transcode-schema.js';
import { CpuBudget, usualBudget } from './cpu-budget.js';
import { LadderShares } from './ladder-shares.js';
import { decodingCost, renditionCost, renditionSize, type SourcePicture } from './rendition-cost.js';

const SOURCE: SourcePicture = { codec: 'h264', width: 1920, height: 1080, rate: 30 };

function renditions(yaml: string): Readonly<Record<string, RenditionSettings>> {
  const config = loadConfig({ file: { name: 'x', text: `transcode: { renditions: ${yaml} }` } });
  return settingsFor(config, 'live/show').transcode.renditions;
}

function only(yaml: string): RenditionSettings {
  const settings = renditions(`{ only: ${yaml} }`).only;
  if (settings === undefined) throw new Error('nothing was configured');
  return settings;
}

describe('the CPU budget', () => {
  it('gives what there is, and takes it back once', () => {
    const budget = new CpuBudget(() => 1);
    const first = budget.take(0.7);
    expect(budget.take(0.4)).toBeUndefined();
    expect(budget.taken).toBe(0.7);
    first?.release();
    first?.release();
    expect(budget.take(1)).toMatchObject({ cores: 1 });
  });

  it('leaves a core to everything else', () => {
    expect([1, 2, 8].map(usualBudget)).toEqual([0.5, 1, 7]);
  });

  it('counts the decoding once, and lets a small rendition in where a large one has no room', () => {
    const ladder = renditions(
      '{ large: { height: 1080, videoBitrate: 6000, preset: medium }, middle: { height: 480, videoBitrate: 1000 }, small: { height: 240, videoBitrate: 400 } }',
    );
    const [large, middle, small] = Object.values(ladder).map((settings) => ({ settings }));
    if (large === undefined || middle === undefined || small === undefined) throw new Error('three were configured');
    const budget = new CpuBudget(() => 0.6);
    const shares = new LadderShares<{ settings: RenditionSettings }>(budget);
    expect(shares.take(large, SOURCE)).toMatch(/^it needs 1\.\d\d cores, and of 0\.60 cores 0\.00 cores are taken/);
    expect(budget.taken).toBe(0);
    expect(shares.take(middle, SOURCE)).toBeUndefined();
    expect(shares.take(small, SOURCE)).toBeUndefined();
    const both = renditionCost(middle.settings, SOURCE) + renditionCost(small.settings, SOURCE);
    expect(budget.taken).toBeCloseTo(both + decodingCost(SOURCE), 6);
    expect([shares.has(large), shares.has(small), shares.size]).toEqual([false, true, 2]);
    shares.drop(middle);
    expect(budget.taken).toBeCloseTo(renditionCost(small.settings, SOURCE) + decodingCost(SOURCE), 6);
    shares.drop(small);
    expect(budget.taken).toBe(0);
    shares.take(small, SOURCE);
    shares.giveBack();
    expect(budget.taken).toBe(0);
  });
});

describe('the cost of a rendition', () => {
  it('is what was measured of a ladder of three, give or take a fifth', () => {
    const ladder = renditions(
      '{ a: { height: 720, videoBitrate: 2500 }, b: { height: 480, videoBitrate: 1200 }, c: { height: 240, videoBitrate: 400 } }',
    );
    const costs = Object.values(ladder).map((settings) => renditionCost(settings, SOURCE));
    const sum = costs.reduce((before, cost) => before + cost, decodingCost(SOURCE));
    expect(Math.abs(sum / 0.69 - 1)).toBeLessThan(0.2);
  });

  it('grows with what is to be done', () => {
    const cost = (yaml: string) => renditionCost(only(yaml), SOURCE);
    const usual = cost('{ height: 720, videoBitrate: 2500 }');
    for (const dearer of [
      '{ height: 720, videoBitrate: 2500, preset: medium }',
      '{ height: 720, videoBitrate: 2500, preset: unheard-of }',
      '{ height: 720, videoBitrate: 2500, codec: hevc }',
      '{ height: 720, videoBitrate: 2500, deinterlace: true }',
      '{ height: 720, videoBitrate: 2500, watermark: { file: a.png } }',
    ]) {
      expect([dearer, cost(dearer) > usual]).toEqual([dearer, true]);
    }
    expect(cost('{ height: 720, videoBitrate: 2500, encoder: h264_nvenc }')).toBeLessThan(usual / 2);
    expect(cost('{ height: 720, videoBitrate: 2500, frameRate: 15 }')).toBeLessThan(usual * 0.6);
    expect(cost('{ codec: none }')).toBeLessThan(0.05);
    expect(cost('{ codec: none, audio: copy }')).toBe(0);
  });

  it.each([
    [1080, 720, { width: 1280, height: 720 }],
    [1080, 480, { width: 854, height: 480 }],
    [1080, 4320, { width: 1920, height: 1080 }],
    [361, 360, { width: 638, height: 360 }],
  ])('makes of %i lines %i', (height, wanted, size) => {
    expect(renditionSize({ width: height === 361 ? 640 : 1920, height }, wanted)).toEqual(size);
  });
});
