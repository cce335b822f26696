import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aacTrackConfig } from '../codecs/aac.js';
import { writeId3 } from '../id3/tag.js';
import type { Sample, TimedMetadata } from '../sample.js';
import { moveSpliceTimes, parseSpliceInfo, spliceTimeOf } from '../scte35/splice-info.js';
import { micros } from '../time.js';
import { crc32Mpeg } from './crc32.js';
import { TsDemuxer } from './demuxer.js';
import type { TsEvent } from './events.js';
import { TS_TIME_OFFSET, TsMuxer } from './muxer.js';
import { ContinuityCounter, packetize } from './packet.js';
import { encodePat, encodePmt } from './psi.js';
import { registration } from './stream-types.js';

/** SCTE 35 §14.2: out of the network at 0x07369C02E. */
const SPLICE = Buffer.from('/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=', 'base64');
/** The same at once, without a duration: `splice_immediate_flag`. */
const AT_ONCE = Buffer.from('/DAlAAAAAAAAAP/wFAVDE1agf+//yBysA/4APcxQAAAAAAAAXhEvvQ==', 'base64');
const TAG = writeId3([{ id: 'TXXX', description: 'score', value: '1:0' }]);
const AUDIO = aacTrackConfig(1, Buffer.from('1190', 'hex'));
const KINDS = ['id3', 'scte35'] as const;

const sound = (at: number): Sample => {
  const time = micros(at);
  return { track: 1, kind: 'audio', dts: time, pts: time, keyframe: true, data: Buffer.alloc(100, 0x21) };
};
const metadata = (kind: TimedMetadata['kind'], at: number, data: Buffer): TimedMetadata => ({
  type: 'timed-metadata',
  kind,
  at: micros(at),
  data,
});
const read = (bytes: Buffer) => {
  const demuxer = new TsDemuxer();
  const events = [...demuxer.push(bytes), ...demuxer.flush()];
  return { found: timedOf(events), events, stats: demuxer.stats };
};
const timedOf = (events: readonly TsEvent[]): TimedMetadata[] =>
  events.flatMap((event) => (event.type === 'timed-metadata' ? [event] : []));

function stream(...said: readonly TimedMetadata[]): Buffer {
  const muxer = new TsMuxer([AUDIO], KINDS);
  const sounds = Array.from({ length: 100 }, (_, index) => muxer.sample(sound(index * 20_000)));
  const data = said.map((each) => muxer.timedMetadata(each));
  return Buffer.concat([muxer.tables(), ...sounds.slice(0, 50), ...data, ...sounds.slice(50)]);
}

describe('timed metadata in MPEG-TS', () => {
  it('comes back at its time: ID3 tags, and splices that are due later', () => {
    const { found, stats } = read(stream(metadata('id3', 900_000, TAG), metadata('scte35', 5_000_000, SPLICE)));
    expect(found.map(({ kind, at }) => [kind, at])).toEqual([
      ['id3', 900_000 + TS_TIME_OFFSET],
      ['scte35', 5_000_000 + TS_TIME_OFFSET],
    ]);
    expect(found[0]?.data).toEqual(TAG);
    const section = found[1]?.data ?? Buffer.alloc(0);
    expect(parseSpliceInfo(section).command).toEqual(parseSpliceInfo(SPLICE).command);
    expect(spliceTimeOf(parseSpliceInfo(section))).toBe((5_000_000 + TS_TIME_OFFSET) * 0.09);
    expect(stats).toMatchObject({ brokenSections: 0, brokenUnits: 0, continuityErrors: 0 });
  });

  it('puts a splice over the wrap of the clock where it belongs', () => {
    const muxer = new TsMuxer([AUDIO], KINDS);
    const wrap = Math.round(((2 ** 33 - 63_000) * 100) / 9);
    const sounds = Array.from({ length: 20 }, (_, index) => muxer.sample(sound(wrap - 1_000_000 + index * 20_000)));
    const cue = muxer.timedMetadata(metadata('scte35', wrap + 4_000_000, SPLICE));
    const { found, events } = read(Buffer.concat([muxer.tables(), ...sounds, cue, muxer.sample(sound(wrap))]));
    const last = events.flatMap((event) => (event.type === 'sample' ? [event.sample.pts] : [])).at(-1) ?? 0;
    expect(Math.abs((found[0]?.at ?? 0) - last - 4_000_000)).toBeLessThan(50);
  });

  it('gives a splice that names no time where the media are', () => {
    const packets = stream(metadata('scte35', 0, moveSpliceTimes(AT_ONCE, 0)));
    const [cue] = read(packets).found;
    const own = spliceTimeOf(parseSpliceInfo(AT_ONCE));
    expect(own).toBeDefined();
    expect(cue?.at).toBe(TS_TIME_OFFSET);
    const now = immediate();
    expect(read(stream(metadata('scte35', 0, now))).found).toEqual([metadata('scte35', 980_000 + TS_TIME_OFFSET, now)]);
  });

  it('is announced so that ffprobe knows what it is, and reads it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-ts-metadata-'));
    const file = join(directory, 'metadata.ts');
    await writeFile(file, stream(metadata('id3', 900_000, TAG), metadata('scte35', 5_000_000, SPLICE)));
    const show = ['-show_entries', 'stream=index,codec_name:packet=stream_index,pts_time,size', '-show_packets'];
    const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', ...show, '-of', 'json', file]);
    const { streams, packets } = JSON.parse(stdout) as {
      streams: { index: number; codec_name: string }[];
      packets: { stream_index: number; pts_time: string; size: string }[];
    };
    expect(streams.map(({ codec_name }) => codec_name)).toEqual(['aac', 'timed_id3', 'scte_35']);
    const [tag] = packets.filter(({ stream_index }) => stream_index === 1);
    expect(Number(tag?.pts_time)).toBe(1.6);
    // ffmpeg before 6 takes five bytes for the header that metadata has in streams of another id.
    expect([TAG.length, TAG.length - 5]).toContain(Number(tag?.size));
    expect(packets.filter(({ stream_index }) => stream_index === 2).map(({ size }) => Number(size))).toEqual([
      SPLICE.length,
    ]);
    await rm(directory, { recursive: true });
  });

  it('is looked for by its type, and not where somebody else has it for something else', () => {
    const table = (info: Buffer) => {
      const streams = [
        { streamType: 0x0f, pid: 0x100, descriptors: Buffer.alloc(0) },
        { streamType: 0x86, pid: 0x101, descriptors: Buffer.alloc(0) },
        { streamType: 0x15, pid: 0x102, descriptors: Buffer.alloc(0) },
      ];
      const tables = [
        packetize(0, new ContinuityCounter(), encodePat(1, 0x1000), { randomAccess: false }),
        packetize(0x1000, new ContinuityCounter(), encodePmt(1, 0x100, streams, { info }), { randomAccess: false }),
      ];
      const demuxer = new TsDemuxer();
      return [...demuxer.push(Buffer.concat(tables)), ...demuxer.flush()].flatMap((event) =>
        event.type === 'unsupported-track' ? [event.pid] : [],
      );
    };
    expect(table(Buffer.alloc(0))).toEqual([0x102]);
    expect(table(registration('CUEI'))).toEqual([0x102]);
    expect(table(registration('HDMV'))).toEqual([0x101, 0x102]);
  });

  it('may be announced while a stream goes on, by a new version of the table', () => {
    const muxer = new TsMuxer([AUDIO]);
    const before = Buffer.concat([muxer.tables(), muxer.sample(sound(0)), muxer.sample(sound(20_000))]);
    muxer.announce('scte35');
    muxer.announce('scte35');
    const cue = muxer.timedMetadata(metadata('scte35', 1_000_000, SPLICE));
    const bytes = Buffer.concat([before, muxer.tables(), cue, muxer.sample(sound(40_000))]);
    const { found, events, stats } = read(bytes);
    expect(found.map(({ at }) => at)).toEqual([1_000_000 + TS_TIME_OFFSET]);
    expect(events.filter(({ type }) => type === 'sample')).toHaveLength(3);
    expect(stats.continuityErrors).toBe(0);
    const versions = [before, bytes.subarray(before.length)].map((part) => {
      const table = part.subarray(188, 376);
      return ((table[table.indexOf(Buffer.from([0x02, 0xb0])) + 5] ?? 0) >> 1) & 31;
    });
    expect(versions).toEqual([0, 1]);
  });

  it('that is broken is counted, and costs no sound', () => {
    const good = stream(metadata('id3', 0, TAG), metadata('scte35', 5_000_000, SPLICE));
    const sounds = read(good).events.filter(({ type }) => type === 'sample').length;
    const broken = Buffer.from(good);
    for (const needle of [TAG.subarray(0, 8), Buffer.from([0xfc, 0x30, 0x2f])]) {
      const at = broken.indexOf(needle);
      expect(at).toBeGreaterThan(0);
      broken[at + 1] = 0x7f;
      broken[at + 2] = 0x11;
    }
    const { found, events, stats } = read(broken);
    expect(found).toEqual([]);
    expect(stats.brokenSections).toBeGreaterThan(0);
    expect(events.filter(({ type }) => type === 'sample')).toHaveLength(sounds);
    expect(() => new TsMuxer([AUDIO], ['id3']).timedMetadata(metadata('scte35', 0, SPLICE))).toThrow(/announced/);
    expect(() => new TsMuxer([AUDIO], KINDS).timedMetadata(metadata('scte35', 0, TAG))).toThrow(/table 73/);
  });

  it('bears anything', () => {
    const good = stream(metadata('id3', 0, TAG), metadata('scte35', 5_000_000, SPLICE));
    const from = good.indexOf(Buffer.from([0x47, 0x41, 0xf0]));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(375), fc.nat(255)), { minLength: 1, maxLength: 12 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[from + at] = value;
        read(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});

/** A `splice_insert` that is due at once, made of the other one: its flag set, its time left out. */
function immediate(): Buffer {
  const command = SPLICE.subarray(14, 20);
  const rest = SPLICE.subarray(25, -4);
  const head = Buffer.from(SPLICE.subarray(0, 14));
  head[2] = (head[2] ?? 0) - 5;
  head[12] = (head[12] ?? 0) - 5;
  const flags = Buffer.from(command);
  flags[5] = (flags[5] ?? 0) | 0x10;
  const section = Buffer.concat([head, flags, rest, Buffer.alloc(4)]);
  section.writeUInt32BE(crc32Mpeg(section.subarray(0, -4)), section.length - 4);
  return section;
}
