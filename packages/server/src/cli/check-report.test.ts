import { describe, expect, it } from 'vitest';
import { jsonCheckReport, textCheckReport } from './check-report.js';

const well = { files: 3, bytes: 1_500_000, findings: [], unlisted: 0, failure: null };
const findings = [
  { fault: 'missing', file: 'live/show/1.mp4', detail: 'it is gone', repaired: false },
  { fault: 'size', file: 'live/a.ts', detail: 'it has 1 byte', repaired: true },
] as const;

describe('the report of a check', () => {
  it('is a line where all is well', () => {
    expect(textCheckReport(well)).toBe('3 files, 1.5 MB: 0 wrong, 0 well again\n');
  });

  it('is a table of what was found, and says what is not in it', () => {
    expect(textCheckReport({ ...well, findings, unlisted: 7, failure: 'the disk failed' })).toBe(
      [
        '✗  missing  live/show/1.mp4  it is gone',
        '✓  size     live/a.ts        it has 1 byte',
        '… and 7 more',
        '',
        '3 files, 1.5 MB: 8 wrong, 1 well again',
        'The check ended before its time: the disk failed',
        '',
      ].join('\n'),
    );
  });

  it('gives a terminal nothing to obey', () => {
    const file = 'live/\u001b]0;x\u0007\u009b2J\n.ts';
    const text = textCheckReport({ ...well, findings: [{ ...findings[0], file }] });
    expect(text).toContain('live/\\x1b]0;x\\x07\\x9b2J\\x0a.ts');
    expect(text.split('\n')).toHaveLength(4);
  });

  it('is all there for machines', () => {
    const report = { ...well, findings, failure: null };
    expect(JSON.parse(jsonCheckReport(report))).toEqual(report);
  });
});
