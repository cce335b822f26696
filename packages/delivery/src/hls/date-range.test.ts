import { type Millis, millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateRangesOf, renderDateRange, type SpliceCue } from './date-range.js';

/** The sample messages of SCTE 35 §14. */
const OPPORTUNITY_START = '/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==';
const OPPORTUNITY_END = '/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=';
const SPLICE_OUT = '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=';
const PROGRAM_END_AND_START =
  '/DBIAAAAAAAA///wBQb+ek2ItgAyAhdDVUVJSAAAGH+fCAgAAAAALMvDRBEAAAIXQ1VFSUgAABl/nwgIAAAAACyk26AQAACZcuND';

const START = Date.parse('2026-03-01T09:00:00.250Z');
const hex = (base64: string) => `0x${Buffer.from(base64, 'base64').toString('hex').toUpperCase()}`;
const cue = (base64: string, afterSeconds = 0): SpliceCue => ({
  at: millis(START + afterSeconds * 1000) as Millis,
  section: Buffer.from(base64, 'base64'),
});
const lines = (...cues: readonly SpliceCue[]) => dateRangesOf(cues).map(renderDateRange);

/** A section with some bits flipped, and a checksum that is right again. */
function edited(base64: string, edits: Readonly<Record<number, number>>): string {
  const section = Buffer.from(base64, 'base64');
  for (const [at, xor] of Object.entries(edits)) section[Number(at)] = (section[Number(at)] ?? 0) ^ xor;
  section.writeUInt32BE(crc32(section.subarray(0, -4)), section.length - 4);
  return section.toString('base64');
}

/** The checksum of sections, bit by bit: ISO 13818-1 Annex A. */
function crc32(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  return crc >>> 0;
}

/** Byte 18 of a `splice_insert` has its cancel flag on top; 19 its out-of-network flag. */
const SPLICE_IN = edited(SPLICE_OUT, { 19: 0x80 });

describe('date ranges', () => {
  it('tell of a break that begins, with the length that is planned', () => {
    const head = 'ID="splice-1207959695-1772355600",START-DATE="2026-03-01T09:00:00.250Z"';
    expect(lines(cue(SPLICE_OUT))).toEqual([
      `#EXT-X-DATERANGE:${head},PLANNED-DURATION=60.294,SCTE35-OUT=${hex(SPLICE_OUT)}`,
    ]);
    expect(lines(cue(SPLICE_OUT), cue(SPLICE_IN, 59.5))).toEqual([
      `#EXT-X-DATERANGE:${head},DURATION=59.5,PLANNED-DURATION=60.294,SCTE35-OUT=${hex(SPLICE_OUT)},SCTE35-IN=${hex(SPLICE_IN)}`,
    ]);
  });

  it('make one of the beginning and the end of a placement opportunity', () => {
    const [line, ...others] = lines(cue(OPPORTUNITY_START), cue(OPPORTUNITY_END, 307));
    expect(others).toEqual([]);
    expect(line).toContain('ID="segment-1207959694-34-1772355600"');
    expect(line).toContain(`DURATION=307,PLANNED-DURATION=307,SCTE35-OUT=${hex(OPPORTUNITY_START)},SCTE35-IN=`);
  });

  it('are apart for what is no break: one for each segment of a section', () => {
    const ranges = lines(cue(PROGRAM_END_AND_START));
    expect(ranges).toHaveLength(2);
    for (const line of ranges)
      expect(line).toMatch(/^#EXT-X-DATERANGE:ID="[^"]+",START-DATE="[^"]+",SCTE35-CMD=0xFC[0-9A-F]+$/);
    expect(new Set(ranges.map((line) => line.split(',')[0])).size).toBe(2);
  });

  it('are the same for a cue that is said again, and others for its id used again', () => {
    const again = [
      cue(SPLICE_OUT),
      cue(SPLICE_OUT, 0.4),
      cue(SPLICE_IN, 30),
      cue(SPLICE_IN, 30.2),
      cue(SPLICE_OUT, 0.1),
    ];
    expect(lines(...again)).toHaveLength(1);
    const later = lines(...again, cue(SPLICE_OUT, 600), cue(SPLICE_IN, 660));
    expect(later.map((line) => /,DURATION=([\d.]+)/.exec(line)?.[1])).toEqual(['30', '60']);
    expect(later[0]).toBe(lines(...again)[0]);
  });

  it('are gone when the event is cancelled, unless it is over', () => {
    const cancelled = Buffer.from(SPLICE_OUT, 'base64');
    cancelled[18] = (cancelled[18] ?? 0) | 0x80;
    const cancel = edited(cancelled.toString('base64'), {});
    expect(lines(cue(SPLICE_OUT), cue(cancel, 1))).toEqual([]);
    expect(lines(cue(SPLICE_OUT), cue(SPLICE_IN, 10), cue(cancel, 11))).toHaveLength(1);
    expect(lines(cue(SPLICE_IN, 5))).toEqual([]);
  });

  it('have ids and starts that never change, and ends that do not once they are there', () => {
    const kinds = fc.constantFrom(SPLICE_OUT, SPLICE_IN, OPPORTUNITY_START, OPPORTUNITY_END, PROGRAM_END_AND_START);
    fc.assert(
      fc.property(fc.array(fc.tuple(kinds, fc.nat(100)), { maxLength: 12 }), (said) => {
        const cues = said.map(([kind, at]) => cue(kind, at));
        const all = new Map(dateRangesOf(cues).map((range) => [range.id, range]));
        expect(all.size).toBe(dateRangesOf(cues).length);
        for (const before of dateRangesOf(cues.slice(0, -1))) {
          const after = all.get(before.id);
          expect(after?.start).toBe(before.start);
          if (before.end !== undefined) expect(after?.end).toBe(before.end);
          expect(renderDateRange(before)).not.toMatch(/DURATION=-/);
        }
      }),
    );
  });
});
