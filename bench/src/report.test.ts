import { describe, expect, test } from 'vitest';
import { type FanOutRow, isLoadBound } from './measure/rows.js';
import { alignTable, fanOutNotes, newReport, renderResults } from './report.js';

const row: FanOutRow = {
  target: 'sluice',
  version: '0.1.0',
  protocol: 'flv',
  viewers: 2000,
  seconds: 15,
  gigabytes: 8,
  gigabitsPerSecond: 4.29,
  framesSent: 450,
  framesPerViewer: 450,
  fewestFrames: 450,
  delivered: 1,
  stalled: 0,
  lost: 0,
  gaps: 0,
  latencyMs: { p50: 5, p99: 15, max: 123 },
  firstKeyframeMs: { p50: 3, p99: 9, max: 10 },
  server: { cpu: 0.5, cpuSecondsPerGb: 0.93, residentMaxMib: 80 },
  load: { cpu: 0.6, utilization: 0.6, lagP99Ms: 2, publisherLateMs: 3 },
  foreignCpu: 0,
};
const machine = {
  cpu: 'A CPU',
  cores: 2,
  memoryGib: 8,
  kernel: 'Linux 6',
  node: 'v20',
  serverCores: [0],
  loadCores: [1],
};

describe('fanOutNotes', () => {
  test('a clean row has none', () => {
    expect(fanOutNotes(row)).toEqual([]);
  });

  test.each([
    [{ ...row, load: { ...row.load, cpu: 0.99 } }, 'limit'],
    [{ ...row, load: { ...row.load, lagP99Ms: 30 } }, 'limit'],
    [{ ...row, delivered: 0.9 }, '90.0 %'],
    [{ ...row, lost: 3 }, '3 viewers'],
    [{ ...row, load: { ...row.load, publisherLateMs: 50 } }, '50.0 ms'],
    [{ ...row, foreignCpu: 0.3 }, '30 %'],
  ])('says what is wrong (%#)', (bad, words) => {
    expect(fanOutNotes(bad)).toEqual([expect.stringContaining(words)]);
  });
});

test('a load generator at its limit is told from one that is not', () => {
  expect(isLoadBound(row)).toBe(false);
  expect(isLoadBound({ ...row, load: { ...row.load, utilization: 0.97 } })).toBe(true);
});

test('columns stand under each other', () => {
  expect(
    alignTable([
      ['a', 'bb'],
      ['ccc', 1],
    ]),
  ).toBe('a    bb\nccc  1');
});

describe('renderResults', () => {
  const report = {
    ...newReport(machine, 'npm run bench -- --results'),
    fanOut: [row],
    crossCheck: [
      {
        target: 'sluice',
        protocol: 'flv' as const,
        viewers: 2000,
        cpuSecondsPerGb: 1,
        p50Ms: 6,
        p99Ms: 14,
        stalled: 0,
      },
    ],
    skipped: [{ target: 'nginx-rtmp', protocol: 'flv' as const, what: '2000 viewers', reason: 'it has RTMP only' }],
  };

  test('tells machine, versions, figures and how to repeat', () => {
    const text = renderResults(report);
    for (const part of ['A CPU', 'sluice 0.1.0', '| 0.93 |', 'it has RTMP only', 'npm run bench -- --results']) {
      expect(text).toContain(part);
    }
  });

  test('compares with the other meter', () => {
    expect(renderResults(report)).toContain('| 0.93 | 1.00 | -7.0 % | 5.0 | 6.0 | 15.0 | 14.0 |');
  });

  test('leaves out what was not measured', () => {
    expect(renderResults(report)).not.toContain('Time to first frame');
  });
});
