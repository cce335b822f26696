import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, ffprobe, testPicture, testSound } from '../../../../test/support/ffmpeg.js';
import { MediaError } from '../errors.js';
import { micros } from '../time.js';
import { u32 } from './box.js';
import { type Mp4FinishStep, mp4MovieRoom, planMp4Finish, writeGrowingMp4Head } from './growing-mp4.js';
import { writeMp4Head } from './movie.js';
import { readBoxes } from './reading/boxes.js';
import { mp4Duration, mp4SampleTimes } from './reading/mp4-index.js';
import { after, type GrowingOptions, growing } from './testing/growing.js';
import { decoded, demux, fromZero, type Media, moved, type SourceFormat } from './testing/packaged.js';
import { drift, samplesOf, scanned, told } from './testing/scanned.js';

const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-pix_fmt', 'yuv420p'];
const B_FRAMES = [...X264, '-bf', '3'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=25:bframes=3'];
const AV1 = ['-c:v', 'libsvtav1', '-preset', '12', '-g', '25'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25'];
const AAC = ['-c:a', 'aac'];

const stepsOf = (file: Buffer): readonly Mp4FinishStep[] =>
  planMp4Finish(scanned(file).index, file.length)?.steps ?? [];
const finished = (file: Buffer): Buffer => stepsOf(file).reduce(after, file);
/** Samples and their times, to a µs: a part of a tick. */
const expectSame = (file: Buffer, like: Buffer) => {
  const [own, others] = [file, like].map((bytes) => samplesOf(scanned(bytes).index, bytes));
  expect(told(own!)).toEqual(told(others!));
  expect(drift(own!, others!)).toBeLessThanOrEqual(1);
};
const typesOf = (file: Buffer): string[] => readBoxes(file).map(({ type }) => type);

describe('a growing MP4 file, finished', () => {
  let directory: string;
  let media: Media;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-growing-'));
    media = await source([...B_FRAMES, ...AAC], 'flv');
  });
  afterAll(() => rm(directory, { recursive: true }));

  const source = async (args: readonly string[], format: SourceFormat): Promise<Media> => {
    const path = join(directory, `made.${format}`);
    await ffmpeg([...testPicture({ seconds: 3 }), ...testSound(3), ...args, '-f', format, path]);
    return fromZero(demux(await readFile(path), format));
  };
  const save = async (name: string, file: Buffer): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, file);
    return path;
  };

  it.each<[string, readonly string[], SourceFormat, GrowingOptions]>([
    ['H.264 and AAC from FLV', [...X264, ...AAC], 'flv', {}],
    ['H.264 with B-frames and AAC from MPEG-TS', [...B_FRAMES, ...AAC], 'mpegts', {}],
    ['H.264 and AAC of 44.1 kHz, from milliseconds', [...B_FRAMES, ...AAC, '-ar', '44100'], 'flv', {}],
    ['H.264 and MP3', [...X264, '-c:a', 'libmp3lame', '-ar', '44100'], 'flv', {}],
    ['HEVC with B-frames and AAC', [...X265, ...AAC], 'mpegts', {}],
    ['HEVC and Opus', [...X265, '-c:a', 'libopus'], 'mpegts', {}],
    ['AV1 and Opus', [...AV1, '-c:a', 'libopus'], 'mp4', {}],
    ['VP9 and AAC', [...VP9, ...AAC], 'mp4', {}],
    ['VP9 and Opus', [...VP9, '-c:a', 'libopus'], 'mp4', {}],
    ['video only', ['-map', '0:v', ...B_FRAMES], 'flv', {}],
    ['audio only', ['-map', '1:a', ...AAC], 'flv', {}],
    ['two sounds', ['-map', '0:v', '-map', '1:a', '-map', '1:a', ...B_FRAMES, ...AAC], 'mpegts', {}],
    ['tables at the end', [...B_FRAMES, ...AAC], 'flv', { reserve: 200 }],
    ['a sound that waits', [...B_FRAMES, ...AAC], 'flv', { tracks: new Map([[1, { delay: micros(350_000) }]]) }],
    ['a sound that is primed', [...B_FRAMES, ...AAC], 'flv', { tracks: new Map([[1, { skip: micros(21_333) }]]) }],
    [
      'a language and a name',
      [...B_FRAMES, ...AAC],
      'flv',
      {
        tracks: new Map([
          [0, { name: 'Stage' }],
          [1, { language: 'pt-BR', name: 'Floor' }],
        ]),
      },
    ],
  ])('lists, lasts and decodes as it did while it grew: %s', async (_, args, format, options) => {
    const own = await source(args, format);
    const file = Buffer.concat(growing(own, options));
    const path = await save('growing.mp4', file);
    const done = await save('finished.mp4', finished(file));
    const [before, now] = [await ffprobe(path), await ffprobe(done)];
    expect(before.warnings).toBe('');
    expect(now.warnings).toBe('');
    const facts = ({ streams, packets }: typeof now) => ({
      streams: streams.map(({ codec_name, width, height, sample_rate, channels }) => {
        return { codec_name, width, height, sample_rate, channels };
      }),
      packets: packets
        .map(({ stream_index, pts_time, dts_time, size, flags }) => {
          return { stream_index, pts_time, dts_time, size, flags: flags[0] };
        })
        .sort((a, b) => a.stream_index - b.stream_index || Number(a.dts_time) - Number(b.dts_time)),
    });
    expect(facts(now)).toEqual(facts(before));
    expect(now.packets).toHaveLength(own.samples.length);
    const tags = ({ streams }: typeof now) => streams.map((stream) => (stream as { tags?: object }).tags);
    expect(tags(now)).toEqual(tags(before));
    for (const kind of new Set(own.configs.map((config) => (config.kind === 'video' ? 'v' : 'a')))) {
      expect(await decoded(done, kind)).toEqual(await decoded(path, kind));
    }
    const [a, b] = [scanned(file).index, scanned(await readFile(done)).index];
    expect(b.tracks.map(({ config }) => config)).toEqual(a.tracks.map(({ config }) => config));
    expect(b.tracks.map(({ language, name }) => [language, name])).toEqual(
      a.tracks.map(({ language, name }) => [language, name]),
    );
    expectSame(await readFile(done), file);
    expect(Math.abs(mp4Duration(b) - mp4Duration(a))).toBeLessThan(2);
    expect(a.isFragmented).toBe(true);
    expect(b.isFragmented).toBe(false);
  });

  it('has its tables in front, and all the rest in one box', () => {
    const file = Buffer.concat(growing(media));
    const plan = planMp4Finish(scanned(file).index, file.length);
    expect(plan?.isFaststart).toBe(true);
    const done = finished(file);
    expect(typesOf(file).slice(0, 4)).toEqual(['ftyp', 'free', 'moov', 'moof']);
    expect(typesOf(done)).toEqual(['ftyp', 'moov', 'free', 'mdat']);
    expect(done.length).toBe(file.length);
    expect(stepsOf(done)).toEqual([]);
    expect(finished(done).equals(done)).toBe(true);
    expect(scanned(done, scanned(file).index).index).toEqual(scanned(done).index);
  });

  it('has its tables at the end where the room is too small, by any number of bytes', () => {
    const head = growing(media, { reserve: 65_536 });
    const movie = readBoxes(finished(Buffer.concat(head))).find(({ type }) => type === 'moov');
    const need = (movie?.payload.length ?? 0) + 8 + 16;
    for (const [reserve, isFaststart] of [
      [16, false],
      [need - 1, false],
      [need, true],
      [need + 1, false],
      [need + 7, false],
      [need + 8, true],
    ] as const) {
      const file = Buffer.concat(growing(media, { reserve }));
      const plan = planMp4Finish(scanned(file).index, file.length);
      expect([reserve - need, plan?.isFaststart]).toEqual([reserve - need, isFaststart]);
      const done = finished(file);
      const order = isFaststart ? ['ftyp', 'moov', 'free', 'mdat'] : ['ftyp', 'mdat', 'moov'];
      expect(typesOf(done)).toEqual(reserve === need ? ['ftyp', 'moov', 'mdat'] : order);
      expectSame(done, file);
      expect(stepsOf(done)).toEqual([]);
    }
  });

  it.each([
    ['in front', 65_536],
    ['at the end', 64],
  ])('is whole wherever a crash stops it, and can be finished then: tables %s', async (_, reserve) => {
    const parts = growing(media, { reserve });
    const whole = Buffer.concat(parts);
    const broken = Buffer.concat([whole, parts[1]!.subarray(0, -1)]);
    const steps = stepsOf(broken);
    const states: Buffer[] = [broken];
    for (const [done, step] of steps.entries()) {
      const file = steps.slice(0, done).reduce(after, broken);
      const isCommit = done === steps.length - 2;
      if (step.kind === 'write' && !isCommit) {
        const { offset, bytes } = step;
        for (let length = 1; length < bytes.length; length += Math.ceil(bytes.length / 40)) {
          states.push(after(file, { kind: 'write', offset, bytes: bytes.subarray(0, length) }));
        }
      }
      states.push(after(file, step));
    }
    // Writes between two syncs may reach the disk in any order.
    const unordered = steps.filter((step, at) => step.kind === 'write' && at < steps.length - 2);
    for (const step of unordered) states.push(after(broken.subarray(0, whole.length), step));
    for (const state of states) {
      expectSame(state, whole);
      const done = finished(state);
      expect(scanned(done).index.isFragmented).toBe(false);
      expectSame(done, whole);
    }
    for (const state of states.filter((_, at) => at % 12 === 0 || at >= states.length - 4)) {
      const { packets } = await ffprobe(await save('crashed.mp4', state));
      // ffmpeg takes what is there of a fragment that broke off.
      expect(packets.length).toBeGreaterThanOrEqual(media.samples.length);
    }
    const { packets, warnings } = await ffprobe(await save('crashed.mp4', states.at(-1) ?? broken));
    expect([packets.length, warnings]).toEqual([media.samples.length, '']);
  });

  it('is repaired wherever it broke off', () => {
    const parts = growing(media);
    const whole = Buffer.concat(parts);
    const [head] = parts;
    for (let length = head!.length; length < whole.length; length += 1009) {
      const cut = whole.subarray(0, length);
      const done = finished(cut);
      expect(done.length).toBe(scanned(cut).index.end);
      expectSame(done, cut);
    }
  });

  it('keeps what is behind damage, and where it was in time', async () => {
    const parts = growing(media, { fragment: 500_000 });
    const file = Buffer.concat(parts);
    const second = parts.slice(0, 2).reduce((sum, { length }) => sum + length, 0);
    file.fill(0xaa, second, second + 100);
    const done = finished(file);
    expect(done.length).toBe(file.length);
    const [before, now] = [scanned(file).index, scanned(done).index];
    expect(before.damage).toHaveLength(1);
    expectSame(done, file);
    expect(now.tracks[0]!.count).toBeLessThan(media.samples.filter(({ track }) => track === 0).length);
    expect((await ffprobe(await save('damaged.mp4', done))).warnings).toBe('');
  });

  it('begins when it began, to the tick: tracks that begin apart, and late', async () => {
    const later = moved(media, micros(7_123_457));
    const file = Buffer.concat(
      growing({ ...later, samples: later.samples.filter(({ kind, dts }) => kind === 'video' || dts > 7_600_000) }),
    );
    const done = finished(file);
    const times = async (bytes: Buffer) => {
      const { packets } = await ffprobe(await save('late.mp4', bytes));
      return [0, 1].map((index) =>
        packets.filter(({ stream_index }) => stream_index === index).map(({ pts_time }) => pts_time),
      );
    };
    expect(await times(done)).toEqual(await times(file));
    const [a, b] = [scanned(file).index, scanned(done).index];
    for (const [index, track] of a.tracks.entries()) {
      for (let at = 0; at < track.count; at++) {
        const [before, now] = [mp4SampleTimes(track, at), mp4SampleTimes(b.tracks[index]!, at)];
        expect(Math.abs(before!.pts - now!.pts)).toBeLessThan(2);
      }
    }
  });

  it('plays of one track where the other one never began', async () => {
    const samples = media.samples.filter(({ kind }) => kind === 'video');
    const done = finished(Buffer.concat(growing({ ...media, samples })));
    expect(scanned(done).index.tracks.map(({ config }) => config.kind)).toEqual(['video']);
    const { packets, warnings } = await ffprobe(await save('lone.mp4', done));
    expect([packets.length, warnings]).toEqual([samples.length, '']);
    const empty = finished(growing(media)[0]!);
    expect(scanned(empty).index).toMatchObject({ isFragmented: false, tracks: [{ count: 0 }, { count: 0 }] });
    expect(mp4Duration(scanned(empty).index)).toBe(0);
  });

  it('counts places and times beyond 32 bits', async () => {
    const file = Buffer.concat(growing(media));
    const { index } = scanned(file);
    const far = 6 * 2 ** 30;
    const hours = 20 * 3600;
    const tracks = index.tracks.map((track) => ({
      ...track,
      offsets: track.offsets.map((offset, at) => (at < track.count / 2 ? offset : offset + far)),
      dts: track.dts.map((dts, at) => dts + Math.floor((3 * at) / track.count) * (hours / 2) * track.timescale),
    }));
    const room = { start: index.room!.start, end: index.room!.end };
    const plan = planMp4Finish({ ...index, tracks, room, end: file.length + far }, file.length + far);
    const done = plan!.steps.filter(({ kind }) => kind === 'write').reduce(after, file.subarray(0, room.end));
    const movie = readBoxes(done.subarray(0, -16)).find(({ type }) => type === 'moov')!;
    expect(movie.payload.includes('co64')).toBe(true);
    expect(done.subarray(-16, -8).equals(Buffer.concat([u32(1), Buffer.from('mdat')]))).toBe(true);
    expect(done.readBigUInt64BE(done.length - 8)).toBe(BigInt(file.length + far - room.end + 16));
    const again = await (async () => {
      const { streams } = await ffprobe(await save('far.mp4', done), ['-read_intervals', '%+0.1']);
      return streams.map((stream) => Number((stream as { duration?: string }).duration));
    })();
    for (const duration of again) expect(duration).toBeGreaterThan(hours);
  });

  it('refuses what tables can not tell, and what has no room', () => {
    const error = (code: string) => expect.objectContaining({ name: 'MediaError', code });
    const file = Buffer.concat(growing(media));
    const { index } = scanned(file);
    const backward = index.tracks.map((track) => ({ ...track, dts: track.dts.map((dts, at) => (at === 9 ? 0 : dts)) }));
    expect(() => planMp4Finish({ ...index, tracks: backward }, file.length)).toThrow(error('malformed'));
    expect(() => planMp4Finish({ ...index, room: undefined }, file.length)).toThrow(error('unsupported'));
    expect(() => planMp4Finish({ ...index, room: { start: 0, end: 8 } }, file.length)).toThrow(error('unsupported'));
    for (const reserve of [0, 15, 16.5, 2 ** 32]) {
      expect(() => writeGrowingMp4Head(media.configs, { reserve })).toThrow(error('malformed'));
    }
    expect(() => writeGrowingMp4Head([], { reserve: 1000 })).toThrow(error('unsupported'));
  });

  it('throws nothing but MediaError for what was changed, or finishes all that is there', () => {
    const parts = growing(media, { reserve: 20_000, fragment: 500_000 });
    const file = Buffer.concat(parts);
    const moofs = readBoxes(file).filter(({ type }) => type === 'moof');
    const ranges = [
      { start: 0, end: 40 },
      { start: 20_000, end: parts[0]!.length },
      ...moofs.map(({ start, payload }) => ({ start, end: start + payload.length + 16 })),
    ];
    const where = ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, at) => start + at));
    const value = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
    const change = fc.tuple(fc.constantFrom(...where), value, fc.integer({ min: 1, max: 4 }));
    let unfinished = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(file.length * 3), (changes, cut) => {
        const bytes = Buffer.from(file.subarray(0, Math.min(cut, file.length)));
        for (const [at, byte, length] of changes) {
          if (at < bytes.length) bytes.fill(byte, at, Math.min(at + length, bytes.length));
        }
        try {
          const { index } = scanned(bytes);
          const steps = planMp4Finish(index, bytes.length)?.steps ?? [];
          const done = steps.reduce(after, bytes);
          const own = scanned(done).index;
          const filled = index.tracks.filter(({ count }) => count > 0);
          expect(own.tracks.filter(({ count }) => count > 0).map(({ sizes }) => sizes)).toEqual(
            filled.map(({ sizes }) => sizes),
          );
        } catch (error) {
          if (!(error instanceof MediaError)) throw error;
          unfinished += 1;
        }
      }),
      { numRuns: 2000 },
    );
    expect(unfinished).toBeLessThan(1500);
  });

  it('has room for an hour, and never more than 16 MiB', () => {
    const [video, audio] = media.configs;
    const hour = mp4MovieRoom([video!, audio!], 3600);
    expect(hour).toBeGreaterThan(3600 * 500);
    expect(hour).toBeLessThan(3600 * 2000);
    expect(mp4MovieRoom([video!, audio!], 86_400)).toBe(16 * 1024 * 1024);
    const need = scanned(finished(Buffer.concat(growing(media)))).index.movie;
    expect(mp4MovieRoom(media.configs, 3)).toBeGreaterThan(need.end - need.start);
  });

  it('is written anew as a file of chosen samples', async () => {
    const file = Buffer.concat(growing(media));
    const { index } = scanned(file);
    let length = 0;
    const data: Buffer[] = [];
    const tracks = index.tracks.map((track) => ({
      ...track,
      offsets: track.offsets.map((offset, at) => {
        const size = track.sizes[at] ?? 0;
        data.push(file.subarray(offset, offset + size));
        length += size;
        return length - size;
      }),
    }));
    const clip = Buffer.concat([writeMp4Head(tracks, length), ...data]);
    expect(typesOf(clip)).toEqual(['ftyp', 'moov', 'mdat']);
    expectSame(clip, file);
    const { packets, warnings } = await ffprobe(await save('clip.mp4', clip));
    expect([packets.length, warnings]).toEqual([media.samples.length, '']);
  });
});
