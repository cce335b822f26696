import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { ffmpeg, ffprobe, type ProbedPacket, testPicture, testSound } from './support/ffmpeg.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher, exited } from './support/publisher.js';
import { type RecordedFileAnswer, recordedFiles } from './support/recordings.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

const run = promisify(execFile);
const SECONDS = 5;
/** Timestamps of FLV are whole milliseconds; sound is joined where they are no better than that. */
const TOLERANCE = 0.0021;

type Packet = ProbedPacket & { readonly data_hash: string };

async function packetsOf(file: string): Promise<Record<'video' | 'audio', Packet[]>> {
  const { packets, warnings } = await ffprobe(file, ['-show_data_hash', 'md5']);
  expect([file, warnings]).toEqual([file, '']);
  const of = (kind: Packet['codec_type']) => (packets as Packet[]).filter(({ codec_type }) => codec_type === kind);
  return { video: of('video'), audio: of('audio') };
}

/** Each access unit's time after the first picture was to be decoded, in seconds. */
function timesOf(all: Record<'video' | 'audio', Packet[]>, kind: 'video' | 'audio') {
  const from = Number(all.video[0]?.dts_time);
  return all[kind].map(({ pts_time, dts_time }) => ({ pts: Number(pts_time) - from, dts: Number(dts_time) - from }));
}

function expectSameTimes(got: Record<'video' | 'audio', Packet[]>, sent: Record<'video' | 'audio', Packet[]>): void {
  for (const kind of ['video', 'audio'] as const) {
    const [ours, theirs] = [timesOf(got, kind), timesOf(sent, kind)];
    expect([kind, ours.length]).toEqual([kind, theirs.length]);
    const off = ours.map(({ pts, dts }, at) =>
      Math.max(Math.abs(pts - (theirs[at]?.pts ?? 0)), Math.abs(dts - (theirs[at]?.dts ?? 0))),
    );
    expect([kind, off.filter((error) => error > TOLERANCE)]).toEqual([kind, []]);
    expect(ours.slice(1).every(({ dts }, at) => dts > (ours[at]?.dts ?? 0))).toBe(true);
  }
}

/** Sends a file as it is, in real time. */
function publishFile(file: string, format: string, url: string): ChildProcess {
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-re', '-i', file, '-c', 'copy', '-map', '0'];
  return spawn('ffmpeg', [...args, '-f', format, url], { stdio: ['ignore', 'ignore', 'inherit'] });
}

const hashesOf = (packets: readonly Packet[]) => packets.map(({ data_hash }) => data_hash);

describe('recordings', () => {
  let directory: string;
  let source: string;
  let sent: Record<'video' | 'audio', Packet[]>;
  let sluice: TestServer;
  const place = ({ file }: RecordedFileAnswer) => join(directory, 'data/recordings', file);

  /** The files of a stream, oldest first, when so many are ready. */
  async function readyFiles(path: string, count: number): Promise<RecordedFileAnswer[]> {
    let files: RecordedFileAnswer[] = [];
    await until(`${count} files of ${path} are ready`, async () => {
      files = await recordedFiles(sluice, path);
      return files.length >= count && files.every(({ state }) => state === 'ready');
    });
    expect(files).toHaveLength(count);
    for (const file of files) {
      const bytes = await readFile(place(file));
      expect([file.file, bytes.length]).toEqual([file.file, file.bytes]);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
    }
    return files;
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-recording-'));
    source = join(directory, 'source.flv');
    const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '3'];
    const input = [...testPicture({ seconds: SECONDS }), ...testSound(SECONDS)];
    await ffmpeg([...input, ...video, '-c:a', 'aac', '-f', 'flv', source]);
    sent = await packetsOf(source);
    sluice = await startServer(
      `publish: { graceSeconds: 0 }
recording: { enabled: true, flushSeconds: 1 }
paths:
  flv/*: { recording: { container: flv } }
  ts/*: { recording: { container: ts } }
  cut/*: { recording: { segmentSeconds: 1 } }
  cutflv/*: { recording: { segmentSeconds: 2, container: flv } }
  away/*: { publish: { graceSeconds: 20 } }
  off/*: { recording: { enabled: false } }`,
      {},
      { dataDirectory: join(directory, 'data') },
    );
  });
  afterAll(async () => {
    await sluice.stop();
    await rm(directory, { recursive: true });
  });

  it('have every frame that came by RTMP, as MP4, FLV and MPEG-TS, at its time, cut or whole', async () => {
    const names = ['mp4', 'flv', 'ts', 'cut', 'cutflv'];
    const encoders = names.map((name) => publishFile(source, 'flv', `${sluice.rtmp}/${name}/show`));
    for (const encoder of encoders) expect(await exited(encoder)).toBe(0);
    for (const container of ['mp4', 'flv', 'ts']) {
      const [file] = await readyFiles(`${container}/show`, 1);
      if (file === undefined) continue;
      expect(file).toMatchObject({ container, gaps: [], reason: null });
      expect(file.tracks).toMatchObject([{ codec: 'h264', width: 320, height: 180 }, { codec: 'aac' }]);
      expect(Math.abs(file.durationMs - SECONDS * 1000)).toBeLessThan(150);
      const got = await packetsOf(place(file));
      expectSameTimes(got, sent);
      if (container === 'ts') continue;
      for (const kind of ['video', 'audio'] as const) expect(hashesOf(got[kind])).toEqual(hashesOf(sent[kind]));
    }
    for (const [path, count] of [
      ['cut/show', 5],
      ['cutflv/show', 3],
    ] as const) {
      const files = await readyFiles(path, count);
      expect(new Set(files.map(({ recording }) => recording)).size).toBe(1);
      const packets = await Promise.all(files.map((file) => packetsOf(place(file))));
      for (const kind of ['video', 'audio'] as const) {
        expect(packets.flatMap((of) => hashesOf(of[kind]))).toEqual(hashesOf(sent[kind]));
      }
      for (const { video } of packets) expect(video[0]?.flags).toMatch(/^K/);
      // The next file begins in live time where the one before ended.
      const seams = files.slice(1).map((file, at) => Date.parse(file.startedAt) - Date.parse(files[at]?.endsAt ?? ''));
      expect(seams.filter((seam) => Math.abs(seam) > 100)).toEqual([]);
    }
    expect(await recordedFiles(sluice, 'off/show')).toEqual([]);
  });

  it.runIf(IS_LONG)('have every frame that came by SRT', async () => {
    const transport = join(directory, 'source.ts');
    await ffmpeg(['-i', source, '-c', 'copy', '-f', 'mpegts', transport]);
    const url = `srt://127.0.0.1:${sluice.server.ports.srt}?streamid=publish:srt/show`;
    const encoder = publishFile(transport, 'mpegts', url);
    await until('it is live', () =>
      sluice.log.some(({ msg, path }) => msg === 'stream is live' && path === 'srt/show'),
    );
    const viewer = await httpFlvViewer(`${sluice.http}/srt/show.flv`);
    expect(await exited(encoder)).toBe(0);
    const [file] = await readyFiles('srt/show', 1);
    const got = await packetsOf(file === undefined ? '' : place(file));
    await until('the viewer is let go', () => viewer.ended);
    // An encoder that hangs up doesn't wait for what is on its way.
    const arrived = (kind: string) => viewer.samples.filter((sample) => sample.kind === kind).length;
    expect(got.video.length).toBeGreaterThanOrEqual(arrived('video'));
    expect(got.audio.length).toBeGreaterThanOrEqual(arrived('audio'));
    expect(got.video.length).toBeGreaterThan((SECONDS - 1) * 25);
    expectSameTimes(got, {
      video: sent.video.slice(0, got.video.length),
      audio: sent.audio.slice(0, got.audio.length),
    });
  });

  it('go on in the same file when an encoder comes back in time, and say how long it was away', async () => {
    const clip = await makeClip('h264-b', 3);
    const first = await ClipPublisher.start(`${sluice.rtmp}/away/show`, clip);
    await until('it has sent all', () => first.done);
    first.kill();
    await until('the stream waits', () =>
      sluice.log.some(({ msg, path }) => msg === 'stream waits for its encoder to come back' && path === 'away/show'),
    );
    const away = Date.now();
    await until('some time has passed', () => Date.now() - away > 2500);
    const second = await ClipPublisher.start(`${sluice.rtmp}/away/show`, clip);
    await until('it has sent all again', () => second.done);
    const { body } = await api<{ recordings: { id: string; path: string }[] }>(
      sluice,
      'GET',
      '/api/v2/recordings/active',
    );
    const id = body.recordings.find(({ path }) => path === 'away/show')?.id;
    await second.stop();
    expect((await api(sluice, 'POST', `/api/v2/recordings/active/${id}/stop`)).status).toBeLessThan(300);
    const [file] = await readyFiles('away/show', 1);
    if (file === undefined) return;
    expect(file.gaps).toHaveLength(1);
    const [gap] = file.gaps;
    expect(gap?.reason).toBe('encoder-away');
    expect(Math.abs((gap?.missing ?? 0) - 2600)).toBeLessThan(800);
    expect(Math.abs((gap?.at ?? 0) - 3000)).toBeLessThan(300);
    const got = await packetsOf(place(file));
    expect(got.video.length + got.audio.length).toBe(first.sent + second.sent);
    expect(got.video.slice(1).every(({ dts_time }, at) => Number(dts_time) > Number(got.video[at]?.dts_time))).toBe(
      true,
    );
    const live = Date.parse(file.endsAt) - Date.parse(file.startedAt);
    expect(Math.abs(live - file.durationMs - (gap?.missing ?? 0))).toBeLessThan(2);
  });

  it('begin a new file when an encoder comes back with other pictures', async () => {
    const clip = await makeClip('h264-b', 2);
    const wider = join(directory, 'wider.flv');
    const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'];
    const input = [...testPicture({ seconds: 2, size: '480x270' }), ...testSound(2)];
    await ffmpeg([...input, ...video, '-c:a', 'aac', '-f', 'flv', wider]);
    const first = await ClipPublisher.start(`${sluice.rtmp}/away/change`, clip);
    await until('it has sent all', () => first.done);
    first.kill();
    expect(await exited(publishFile(wider, 'flv', `${sluice.rtmp}/away/change`))).toBe(0);
    let files: RecordedFileAnswer[] = [];
    await until('there are two files', async () => {
      files = await recordedFiles(sluice, 'away/change');
      return files.length === 2;
    });
    expect(new Set(files.map(({ recording }) => recording)).size).toBe(1);
    expect(files.map(({ tracks }) => tracks[0]?.width)).toEqual([320, 480]);
    const [before] = await Promise.all(files.slice(0, 1).map((file) => packetsOf(place(file))));
    expect(before?.video).toHaveLength(clip.samples.filter(({ kind }) => kind === 'video').length);
  });

  it('can be begun, split and ended by hand, as another container too', async () => {
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/off/show`, await makeClip('h264-b', 2), { loop: true });
    const start = async (body: object) => api<{ id: string }>(sluice, 'POST', '/api/v2/recordings/start', body);
    await until('it is live', async () => (await start({ path: 'off/show', container: 'ts' })).status === 201);
    expect((await start({ path: 'off/show', container: 'ts' })).status).toBe(409);
    expect((await start({ path: 'off/nothing' })).status).toBe(404);
    const { body: mp4 } = await start({ path: 'off/show' });
    await until('both grow', async () => (await recordedFiles(sluice, 'off/show')).length === 2);
    await api(sluice, 'POST', `/api/v2/recordings/active/${mp4.id}/split`);
    await until('a third one has begun', async () => (await recordedFiles(sluice, 'off/show')).length === 3);
    await api(sluice, 'POST', `/api/v2/recordings/active/${mp4.id}/stop`);
    await publisher.stop();
    const files = await readyFiles('off/show', 3);
    expect(files.map(({ container }) => container).sort()).toEqual(['mp4', 'mp4', 'ts']);
    for (const file of files) {
      const { video } = await packetsOf(place(file));
      expect(video[0]?.flags).toMatch(/^K/);
    }
  });

  it('are whole when the server has been stopped', async () => {
    const data = join(directory, 'stopped');
    const config = 'recording: { enabled: true, flushSeconds: 1 }';
    const first = await startServer(config, {}, { dataDirectory: data });
    const publisher = await ClipPublisher.start(`${first.rtmp}/live/show`, await makeClip('h264-b', 2), { loop: true });
    await until('it grows', async () => (await recordedFiles(first, 'live/show')).length === 1);
    await first.stop();
    publisher.kill();
    const second = await startServer(config, {}, { dataDirectory: data });
    const [file] = await recordedFiles(second, 'live/show');
    expect(file?.state).toBe('ready');
    expect(second.log.filter(({ msg }) => /that a crash left/.test(msg))).toEqual([]);
    const { video } = await packetsOf(join(data, 'recordings', file?.file ?? ''));
    expect(Math.abs(video.length * 40 - (file?.durationMs ?? 0))).toBeLessThan(400);
    await second.stop();
  });

  it('take no room on the disk that they do not need', async () => {
    const [file] = await recordedFiles(sluice, 'mp4/show');
    if (file === undefined) return;
    const { blocks } = await stat(place(file));
    expect(blocks * 512).toBeLessThan(file.bytes);
    const { stdout } = await run('ffprobe', ['-v', 'trace', '-i', place(file)]).then(({ stderr }) => ({
      stdout: stderr,
    }));
    expect(stdout.indexOf("type:'moov'")).toBeLessThan(stdout.indexOf("type:'mdat'"));
  });
});
