import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  completeFlvMetadata,
  decodeAmf0,
  encodeFlvTag,
  FLV_AUDIO,
  FLV_VIDEO,
  FlvDemuxer,
  FlvMuxer,
  type FlvTag,
  FlvTagParser,
  flvFileHeader,
  isAmfObject,
  type MediaEvent,
  type Sample,
  type TrackConfig,
} from '@sluice/media';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../../test/support/ffmpeg.js';
import { finishFlv } from './flv.js';

const SECONDS = 6;
const TAG_OVERHEAD = 15;
const FILE_HEADER = 13;

const formatOf = (path: string): { duration: string } =>
  JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-of', 'json', '-show_format', path]).toString()).format;

const metadataOf = (bytes: Buffer) => {
  const [tag] = new FlvTagParser().push(bytes);
  const [name, value] = decodeAmf0(tag?.body ?? Buffer.alloc(0));
  if (name !== 'onMetaData' || value === undefined || !isAmfObject(value)) throw new Error('no metadata');
  return value;
};

const configsOf = (events: readonly MediaEvent[]): TrackConfig[] =>
  events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
const samplesOf = (events: readonly MediaEvent[]): Sample[] =>
  events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));

/** Whole tags at the beginning of a file, and where they end. */
function wholeTags(bytes: Buffer): { tags: FlvTag[]; end: number } {
  const tags = new FlvTagParser().push(bytes);
  return { tags, end: tags.reduce((end, { body }) => end + body.length + TAG_OVERHEAD, FILE_HEADER) };
}

/** In memory where there is such a place: each cut is synced. */
const SCRATCH = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

describe('finishFlv', () => {
  let directory: string;
  let path: string;
  /** With room for 20 keyframes, as a recording grows. */
  let grown: Buffer;
  beforeAll(async () => {
    directory = fs.mkdtempSync(join(SCRATCH, 'sluice-finish-'));
    path = join(directory, 'a.flv');
    const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-b:v', '100k', '-c:a', 'aac'];
    await ffmpeg([...testPicture({ seconds: SECONDS, size: '64x64' }), ...testSound(SECONDS), ...codecs, path]);
    grown = remuxed(fs.readFileSync(path), 20);
  });
  afterAll(() => fs.rmSync(directory, { recursive: true }));

  const remuxed = (file: Buffer, keyframes: number | undefined): Buffer => {
    const events = new FlvDemuxer().push(file);
    const muxer = new FlvMuxer(configsOf(events));
    const samples = samplesOf(events).map((sample) => muxer.sample(sample));
    return Buffer.concat([muxer.header({}, { keyframes }), ...samples]);
  };
  const finish = (bytes: Buffer) => {
    fs.writeFileSync(path, bytes);
    const fd = fs.openSync(path, 'r+');
    try {
      return finishFlv(fd);
    } finally {
      fs.closeSync(fd);
    }
  };

  it('writes duration, size and an index of keyframes, and changes nothing else', async () => {
    fs.writeFileSync(path, grown);
    const { packets: before } = await ffprobe(path);
    const { durationMs, ...rest } = finish(grown);
    expect(rest).toEqual({ isFaststart: true, repaired: false, damage: [] });
    expect(durationMs).toBeGreaterThan(SECONDS * 1000 - 10);
    expect(durationMs).toBeLessThan(SECONDS * 1000 + 120);
    const bytes = fs.readFileSync(path);
    expect(bytes.length).toBe(grown.length);
    const { packets, warnings } = await ffprobe(path);
    expect(warnings).toBe('');
    expect(packets).toEqual(before);
    expect(Number(formatOf(path).duration)).toBeCloseTo(durationMs / 1000, 3);
    const { duration, filesize, lasttimestamp, keyframes, width, hasKeyframes } = metadataOf(bytes);
    expect({ duration, filesize, width, hasKeyframes }).toEqual({
      duration: durationMs / 1000,
      filesize: bytes.length,
      width: 64,
      hasKeyframes: true,
    });
    expect(lasttimestamp).toBeGreaterThan(SECONDS - 0.1);
    const { times, filepositions } = keyframes as { times: number[]; filepositions: number[] };
    const keys = packets.filter(({ codec_type, flags }) => codec_type === 'video' && flags.startsWith('K'));
    expect(times.slice(1)).toEqual(keys.map(({ dts_time }) => Number(dts_time)));
    const [config, ...positions] = filepositions.map((position) => bytes.subarray(position, position + 13));
    expect(config?.toString('hex', 11)).toBe('1700');
    expect(positions.map((tag) => [tag[0], tag.toString('hex', 11)])).toEqual(keys.map(() => [9, '1701']));
  });

  it('does nothing to a finished file, whole or with its size only', () => {
    finish(grown);
    const once = fs.readFileSync(path);
    finish(once);
    expect(fs.readFileSync(path).equals(once)).toBe(true);
  });

  it('finishes a file whose metadata a crash tore', () => {
    finish(grown);
    const whole = fs.readFileSync(path);
    const [tag] = new FlvTagParser().push(grown);
    const length = tag?.body.length ?? 0;
    const bodyAt = FILE_HEADER + 11;
    for (let torn = 0; torn < length; torn += 7) {
      const bytes = Buffer.concat([whole.subarray(0, bodyAt + torn), grown.subarray(bodyAt + torn)]);
      expect(finish(bytes)).toMatchObject({ repaired: false });
      const again = fs.readFileSync(path);
      expect(metadataOf(again)).toMatchObject({ filesize: grown.length, hasKeyframes: true });
      expect(again.subarray(bodyAt + length).equals(grown.subarray(bodyAt + length))).toBe(true);
    }
  });

  it.each([0, 1, 2, 5])('thins keyframes out where there is room for %d', (keyframes) => {
    finish(remuxed(grown, keyframes));
    const bytes = fs.readFileSync(path);
    const index = metadataOf(bytes).keyframes as { times: number[] } | undefined;
    expect(index?.times.length ?? 0).toBeLessThanOrEqual(SECONDS + 1);
    expect(wholeTags(bytes).end).toBe(bytes.length);
  });

  it('has room for an hour of keyframes that ffprobe passes over, before and after', async () => {
    const roomy = remuxed(grown, 3600);
    fs.writeFileSync(path, roomy);
    expect((await ffprobe(path)).warnings).toBe('');
    const { durationMs } = finish(roomy);
    expect((await ffprobe(path)).warnings).toBe('');
    expect(Number(formatOf(path).duration)).toBeCloseTo(durationMs / 1000, 3);
    expect(metadataOf(fs.readFileSync(path))).toMatchObject({ duration: durationMs / 1000, hasKeyframes: true });
  });

  it('leaves metadata without room as long as it is', () => {
    const bytes = remuxed(grown, undefined);
    expect(finish(bytes)).toMatchObject({ repaired: false });
    expect(fs.readFileSync(path).equals(bytes)).toBe(true);
  });

  it('cuts a file that ends anywhere to its last whole tag', () => {
    const [, second] = new FlvTagParser().push(grown);
    const firstMedia = grown.indexOf(second?.body ?? '') - 11;
    const short = grown.subarray(0, firstMedia + 1500);
    for (let length = 0; length <= short.length; length++) {
      const bytes = short.subarray(0, length);
      const { tags, end } = length < FILE_HEADER ? { tags: [], end: 0 } : wholeTags(bytes);
      if (tags.every(({ type }) => type !== FLV_AUDIO && type !== FLV_VIDEO)) {
        expect(() => finish(Buffer.from(bytes)), `${length}`).toThrow(expect.objectContaining({ code: 'malformed' }));
        expect(fs.statSync(path).size).toBe(length);
        continue;
      }
      expect(finish(Buffer.from(bytes)).repaired, `${length}`).toBe(end < length);
      expect(fs.statSync(path).size).toBe(end);
    }
  });

  it('leaves what ffprobe reads without complaint, wherever it was cut', async () => {
    for (let cut = 1; cut <= 8; cut++) {
      const length = Math.floor((grown.length * cut) / 9);
      const { tags } = wholeTags(grown.subarray(0, length));
      const { durationMs } = finish(Buffer.from(grown.subarray(0, length)));
      const { packets, warnings } = await ffprobe(path);
      expect(warnings).toBe('');
      // The metadata and the two configurations are no packets.
      expect(packets.length).toBe(tags.length - 3);
      expect(Number(formatOf(path).duration)).toBeCloseTo(durationMs / 1000, 3);
    }
  });

  it('cuts off what a file system left of zeros', () => {
    const { durationMs } = finish(grown);
    const zeros = Buffer.concat([grown, Buffer.alloc(100_000)]);
    expect(finish(zeros)).toMatchObject({ durationMs, repaired: true });
    expect(fs.statSync(path).size).toBe(grown.length);
  });

  it.each([
    ['overwritten', (bytes: Buffer) => bytes.fill(0xaa, 50_000, 55_000)],
    ['zeroed', (bytes: Buffer) => bytes.fill(0, 70_001, 74_097)],
  ])('loses no more than what was %s in the middle', async (_, damage) => {
    const whole = finish(grown);
    const { packets: before } = await ffprobe(path);
    const finished = finish(damage(Buffer.from(grown)));
    expect(finished).toMatchObject({ durationMs: whole.durationMs, repaired: true });
    expect(finished.damage).toHaveLength(1);
    const bytes = fs.readFileSync(path);
    expect(bytes.length).toBe(grown.length);
    const { packets, warnings } = await ffprobe(path);
    expect(warnings).toBe('');
    expect(packets.length).toBeLessThan(before.length);
    expect(packets.length).toBeGreaterThan(before.length - 60);
    const known = new Set(before.map((packet) => JSON.stringify(packet)));
    // The duration of what is before the damage is reckoned anew.
    expect(packets.filter((packet) => !known.has(JSON.stringify(packet))).length).toBeLessThanOrEqual(2);
    expect(finish(bytes)).toMatchObject({ repaired: false, damage: [] });
  });

  it('counts on over the wrap of timestamps, and through a tag longer than a window', () => {
    const frame = (at: number, size: number) => {
      const body = Buffer.alloc(size);
      body.set([0x17, 1]);
      return encodeFlvTag(FLV_VIDEO, at, body);
    };
    const tags = [frame(2 ** 32 - 40, 700_000), frame(2 ** 32, 10), frame(2 ** 32 + 40, 900_000)];
    const bytes = Buffer.concat([flvFileHeader({ audio: false, video: true }), ...tags]);
    expect(finish(bytes)).toMatchObject({ durationMs: 120, repaired: false });
  });

  it('throws nothing but that the file cannot be read, whatever is in it', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.constantFrom(8, 9, 18), fc.nat(), fc.uint8Array({ maxLength: 40 }))
        .map(([type, at, body]) => encodeFlvTag(type as 8 | 9 | 18, at, Buffer.from(body))),
    );
    const header = fc.constantFrom(flvFileHeader({ audio: true, video: true }), Buffer.alloc(0));
    fc.assert(
      fc.property(header, fc.array(piece, { maxLength: 8 }), (start, pieces) => {
        const bytes = Buffer.concat([start, ...pieces]);
        try {
          finish(bytes);
        } catch (error) {
          expect(error).toMatchObject({ name: 'MediaError' });
          return;
        }
        const after = fs.readFileSync(path);
        expect(after.length).toBeLessThanOrEqual(bytes.length);
        expect(finish(after).repaired).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('completeFlvMetadata', () => {
  it('is as long as what it takes the place of, however much room there is', () => {
    const index = {
      ...{ end: 1000, damage: [], duration: 5, lastTimestamp: 4, videoConfigAt: 20, metadata: undefined },
      keyframes: [{ at: 0, offset: 30 }],
    } as unknown as Parameters<typeof completeFlvMetadata>[1];
    for (const length of [...Array(600).keys(), ...Array.from({ length: 40 }, (_, at) => 65_700 + at), 200_000]) {
      const completed = completeFlvMetadata(Buffer.alloc(length), index);
      if (completed !== undefined) expect(completed.length).toBe(length);
      if (length > 300) expect(completed, `${length}`).toBeDefined();
    }
    expect(completeFlvMetadata(Buffer.alloc(3_000_000), index)).toBeUndefined();
  });
});
