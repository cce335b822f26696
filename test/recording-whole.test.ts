import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FlvDemuxer, type MediaEvent, micros, type Sample } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { publishFast } from './support/fast-publisher.js';
import { ffmpeg, ffprobe, type ProbedPacket, testPicture, testSound } from './support/ffmpeg.js';
import { IS_LONG } from './support/long.js';
import { type RecordedFileAnswer, recordedFiles } from './support/recordings.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const KINDS = ['video', 'audio'] as const;
/** Of the programme. */
const SECONDS = IS_LONG ? 600 : 20;
const SEGMENT_SECONDS = SECONDS / 5;
/** Timestamps of FLV are whole milliseconds; sound is joined where they are no better than that. */
const TOLERANCE = 0.0021;
/** Where the encoder comes back or sets its clock, the timeline goes on after the longer of sound and picture. */
const MAX_SEAM = 0.0405;
const FRAME_SECONDS = { video: 1 / 25, audio: 1024 / 48_000 };
const HOUR = 3_600_000_000;

type Packet = ProbedPacket & { readonly data_hash: string };
type Packets = Record<(typeof KINDS)[number], Packet[]>;

/** A part of the programme that one clock of the encoder's goes through. */
interface Piece {
  readonly samples: readonly Sample[];
  /** What the clock says where the programme begins. */
  readonly offset: number;
  /** Whether the encoder comes back with it; else it only sets its clock. */
  readonly isNew: boolean;
  /** What is missing before it, in seconds. */
  readonly away: number;
}

async function packetsOf(file: string): Promise<Packets> {
  const { packets, warnings } = await ffprobe(file, ['-show_data_hash', 'md5']);
  expect([file, warnings]).toEqual([file, '']);
  const of = (kind: Packet['codec_type']) => (packets as Packet[]).filter(({ codec_type }) => codec_type === kind);
  return { video: of('video'), audio: of('audio') };
}

/** From the first frame to the end of the last, in seconds, as they are shown or decoded. */
function lengthOf(packets: Packets, order: 'pts' | 'dts'): number {
  const times = KINDS.flatMap((kind) =>
    packets[kind].map((packet) => ({ at: Number(packet[`${order}_time`]), end: FRAME_SECONDS[kind] })),
  );
  const first = times.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  return times.reduce((most, { at, end }) => Math.max(most, at + end), 0) - first;
}

/** What of a list of all samples of a kind, in the order of another one, isn't among the lost. */
function without<T>(all: readonly T[], order: readonly Sample[], lost: ReadonlySet<Sample>): T[] {
  const isLost = order.map((sample) => lost.has(sample));
  return all.filter((_, at) => !isLost[at]);
}

/** In a line of ffmpeg's, after stream, times, duration and size. */
const HASH = 5;

/** Hashes of what ffmpeg makes of a file: pictures as they are shown, or frames of sound as they are coded. */
async function framesOf(file: string, args: readonly string[]): Promise<string[]> {
  const input = ['-nostdin', '-v', 'error', '-i', file];
  const { stdout } = await run('ffmpeg', [...input, ...args, '-f', 'framemd5', '-'], { maxBuffer: 2 ** 28 });
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(',')[HASH]?.trim() ?? '');
}

/** The same, without pages of hashes where it isn't. */
function expectSame(got: readonly string[], wanted: readonly string[], what: string): void {
  const differ = wanted.flatMap((hash, at) => (hash === got[at] ? [] : [at]));
  expect({ what, count: got.length, differ: differ.length, first: differ[0] }).toEqual({
    ...{ what, count: wanted.length, differ: 0, first: undefined },
  });
}

const hashesOf = (packets: readonly Packet[]) => packets.map(({ data_hash }) => data_hash);
const PICTURES = ['-map', '0:v', '-fps_mode', 'passthrough'];
const SOUND = ['-map', '0:a', '-c', 'copy'];

describe('a programme whose encoder comes back twice and sets its clock', () => {
  let directory: string;
  let source: string;
  let sent: Packets;
  /** Hashes of the frames sent, as `framesOf` gives them. */
  let decoded: Record<(typeof KINDS)[number], string[]>;
  let events: MediaEvent[];
  let pieces: Piece[];
  let sluice: TestServer;
  const place = ({ file }: RecordedFileAnswer) => join(directory, 'data/recordings', file);
  const configs = () => events.flatMap((event) => (event.type === 'config' ? [event.config] : []));

  /** The programme as it is sent, faster than real time. Resolves when it is recorded. */
  async function record(path: string): Promise<RecordedFileAnswer[]> {
    const received = async () =>
      (await api<{ received?: { frames: number } }>(sluice, 'GET', `/api/v2/streams/${encodeURIComponent(path)}`)).body
        .received?.frames;
    let count = 0;
    for (const [at, { isNew }] of pieces.entries()) {
      if (!isNew) continue;
      const next = pieces.findIndex((piece, other) => other > at && piece.isNew);
      const publication = pieces.slice(at, next === -1 ? undefined : next);
      const samples = publication.flatMap(({ samples, offset }) =>
        samples.map(({ dts, pts, ...rest }) => ({ ...rest, dts: micros(dts + offset), pts: micros(pts + offset) })),
      );
      const client = await publishFast(`${sluice.rtmp}/${path}`, configs(), samples);
      count += samples.length;
      await until('all has come', async () => (await received()) === count);
      if (at === 0) client.destroy();
      else await client.close();
    }
    const { body } = await api<{ recordings: { id: string; path: string }[] }>(
      sluice,
      'GET',
      '/api/v2/recordings/active',
    );
    const id = body.recordings.find((recording) => recording.path === path)?.id;
    expect((await api(sluice, 'POST', `/api/v2/recordings/active/${id}/stop`)).status).toBeLessThan(300);
    let files: RecordedFileAnswer[] = [];
    await until('it is finished', async () => {
      files = await recordedFiles(sluice, path);
      return files.length > 0 && files.every(({ state }) => state === 'ready');
    });
    return files;
  }

  /** All at their times, but for where the encoder comes back; there, sound and picture move alike and by little. */
  function expectSameTimes(got: Packets): void {
    const from = { got: Number(got.video[0]?.dts_time), sent: Number(sent.video[0]?.dts_time) };
    const next = { video: 0, audio: 0 };
    let shift = 0;
    for (const [at, { samples, away }] of pieces.entries()) {
      const first = next.video;
      const moved =
        Number(got.video[first]?.dts_time) - from.got - (Number(sent.video[first]?.dts_time) - from.sent) - shift;
      const seam = moved + away;
      expect([at, seam > -TOLERANCE && seam < (at === 0 ? TOLERANCE : MAX_SEAM), seam]).toEqual([at, true, seam]);
      shift += moved;
      for (const kind of KINDS) {
        const end = next[kind] + samples.filter((sample) => sample.kind === kind).length;
        const off: [number, string, number][] = [];
        for (let index = next[kind]; index < end; index++) {
          for (const time of ['dts_time', 'pts_time'] as const) {
            const ours = Number(got[kind][index]?.[time]) - from.got - shift;
            const error = ours - (Number(sent[kind][index]?.[time]) - from.sent);
            if (!(Math.abs(error) <= TOLERANCE)) off.push([index, time, error]);
          }
        }
        expect([at, kind, off.length, off.slice(0, 5)]).toEqual([at, kind, 0, []]);
        next[kind] = end;
      }
    }
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-whole-'));
    source = join(directory, 'source.flv');
    const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-bf', '3', '-b_strategy', '0'];
    const input = [...testPicture({ seconds: SECONDS }), ...testSound(SECONDS)];
    await ffmpeg([...input, ...coding, '-c:a', 'aac', '-f', 'flv', source]);
    sent = await packetsOf(source);
    events = new FlvDemuxer().push(await readFile(source));
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    expect(samples.some(({ pts, dts }) => pts - dts > 100_000)).toBe(true);
    const cut = (share: number) => Math.floor(samples.length * share);
    const keyframeFrom = (from: number) =>
      samples.findIndex(({ kind, keyframe }, at) => at >= from && kind === 'video' && keyframe);
    const timeAt = (at: number) => samples[at]?.dts ?? 0;
    // It breaks off, and later sets its clock, in the middle of a GOP.
    const [breaksOff, jump] = [cut(0.3), cut(0.8)];
    const [back, backAgain] = [keyframeFrom(breaksOff), keyframeFrom(cut(0.6))];
    const lost = samples.slice(breaksOff, back);
    const pictureAt = (from: number) => samples.slice(from).find(({ kind }) => kind === 'video')?.dts ?? 0;
    const away = (timeAt(back) - pictureAt(breaksOff)) / 1_000_000;
    expect(lost.length).toBeGreaterThan(0);
    const isLost = new Set(lost);
    const [video, audio] = KINDS.map((kind) => samples.filter((sample) => sample.kind === kind));
    if (video === undefined || audio === undefined) throw new Error('the source has no samples');
    sent = { video: without(sent.video, video, isLost), audio: without(sent.audio, audio, isLost) };
    const shown = video.toSorted((a, b) => a.pts - b.pts);
    decoded = {
      video: without(await framesOf(source, PICTURES), shown, isLost),
      audio: without(await framesOf(source, SOUND), audio, isLost),
    };
    // Some encoders begin at 0 again, others have a clock that goes on while they are away.
    pieces = [
      { samples: samples.slice(0, breaksOff), offset: 0, isNew: true, away: 0 },
      { samples: samples.slice(back, backAgain), offset: -timeAt(back), isNew: true, away },
      { samples: samples.slice(backAgain, jump), offset: 7_000_000, isNew: true, away: 0 },
      { samples: samples.slice(jump), offset: HOUR, isNew: false, away: 0 },
    ];
    sluice = await startServer(
      `publish: { graceSeconds: 20 }
recording: { enabled: true }
paths:
  flv/*: { recording: { container: flv } }
  ts/*: { recording: { container: ts } }
  cut/*: { recording: { segmentSeconds: ${SEGMENT_SECONDS} } }`,
      {},
      { dataDirectory: join(directory, 'data') },
    );
  }, 300_000);
  afterAll(async () => {
    await sluice.stop();
    await rm(directory, { recursive: true });
  });

  it.each(['mp4', 'flv', 'ts'])(
    `is whole as %s: ${SECONDS} s, each frame at its time`,
    async (container) => {
      const [file, ...others] = await record(`${container}/show`);
      expect(others).toEqual([]);
      if (file === undefined) throw new Error('nothing is recorded');
      expect(file).toMatchObject({ container, gaps: [], reason: null });
      const got = await packetsOf(place(file));
      for (const kind of KINDS) expect([kind, got[kind].length]).toEqual([kind, sent[kind].length]);
      expectSameTimes(got);
      expect(Math.abs(file.durationMs / 1000 - lengthOf(got, container === 'ts' ? 'pts' : 'dts'))).toBeLessThan(
        TOLERANCE,
      );
      if (container === 'ts') {
        // The times tell the order; where the encoder broke off, ffmpeg shows pictures in another one.
        expectSame((await framesOf(place(file), PICTURES)).sort(), decoded.video.toSorted(), 'pictures');
        expectSame(await framesOf(place(file), [...SOUND, '-bsf:a', 'aac_adtstoasc']), decoded.audio, 'sound');
        return;
      }
      for (const kind of KINDS) expectSame(hashesOf(got[kind]), hashesOf(sent[kind]), kind);
    },
    300_000,
  );

  it('has each frame once where it is cut into files', async () => {
    const files = await record('cut/show');
    expect(files.length).toBeGreaterThanOrEqual(4);
    const packets = await Promise.all(files.map((file) => packetsOf(place(file))));
    // Faster than real time, the files' times of day say nothing of their order.
    const wanted = hashesOf(sent.video);
    const placeOf = ({ video: [first] }: Packets) => wanted.indexOf(first?.data_hash ?? '');
    packets.sort((a, b) => placeOf(a) - placeOf(b));
    for (const kind of KINDS) {
      const hashes = packets.flatMap((of) => hashesOf(of[kind]));
      expectSame(hashes, hashesOf(sent[kind]), kind);
    }
    // Sound and picture of each file are as far apart as they were sent.
    const next = { video: 0, audio: 0 };
    for (const file of packets) {
      const shiftOf = (kind: (typeof KINDS)[number], at: number) =>
        Number(file[kind].at(at)?.dts_time) - Number(sent[kind].at(next[kind] + at)?.dts_time);
      expect(Math.abs(shiftOf('audio', 0) - shiftOf('video', 0))).toBeLessThan(TOLERANCE);
      for (const kind of KINDS) next[kind] += file[kind].length;
      expect(Math.abs(shiftOf('audio', -1) - shiftOf('video', -1))).toBeLessThan(TOLERANCE);
    }
  }, 300_000);
});
