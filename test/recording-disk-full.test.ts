import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { ffprobe } from './support/ffmpeg.js';
import { ClipPublisher } from './support/publisher.js';
import { recordedFiles } from './support/recordings.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

const run = promisify(execFile);
/** Only root may mount a file system, of which one that is small is wanted. */
const MAY_MOUNT = process.platform === 'linux' && process.getuid?.() === 0;
const DISK_BYTES = 12 * 1024 * 1024;
const FREE_BYTES = 2 * 1024 * 1024;

interface Active {
  readonly state: string;
  readonly paused: { readonly trouble: string; readonly detail: string } | null;
}

describe.skipIf(!MAY_MOUNT)('a disk that is full (needs root, to mount a small one)', () => {
  let directory: string;
  let disk: string;
  let sluice: TestServer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-full-'));
    disk = join(directory, 'disk');
    await mkdir(disk);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'sluice-test', disk]);
    await writeFile(join(disk, 'filler'), Buffer.alloc(DISK_BYTES - FREE_BYTES));
    const config = 'recording: { enabled: true, flushSeconds: 1 }\npublish: { graceSeconds: 0 }';
    sluice = await startServer(config, { SLUICE_RECORDING_DIR: join(disk, 'recordings') });
  });
  afterAll(async () => {
    await sluice.stop();
    await run('umount', [disk]);
    await rm(directory, { recursive: true });
  });

  it('pauses recordings until there is room again, and viewers notice nothing', async () => {
    const clip = await makeClip('h264-b', 3, { bitrate: 4_000_000 });
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, clip, { loop: true });
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    const active = async () => {
      const { body } = await api<{ recordings: Active[] }>(sluice, 'GET', '/api/v2/recordings/active');
      return body.recordings[0];
    };
    await until('the recording pauses', async () => (await active())?.state === 'paused', 30_000);
    expect((await active())?.paused?.trouble).toBe('disk-full');
    // It goes on trying, and says so once.
    const seen = viewer.samples.length;
    await until('some seconds have passed', () => viewer.samples.length > seen + 250);
    const told = () => sluice.log.filter(({ msg }) => msg === 'the recording pauses; live goes on');
    expect(told()).toHaveLength(1);
    expect((await recordedFiles(sluice, 'live/show')).length).toBe(1);
    await rm(join(disk, 'filler'));
    await until('it goes on', async () => (await active())?.state === 'recording');
    const resumed = viewer.samples.length;
    await until('it has recorded some more', () => viewer.samples.length > resumed + 150);
    await publisher.stop();
    await until(
      'its files are ready',
      async () => {
        const files = await recordedFiles(sluice, 'live/show');
        return files.length === 2 && files.every(({ state }) => state === 'ready');
      },
      30_000,
    );

    const files = await recordedFiles(sluice, 'live/show');
    expect(new Set(files.map(({ recording }) => recording)).size).toBe(1);
    for (const { file, durationMs } of files) {
      const { packets, warnings } = await ffprobe(join(disk, 'recordings', file));
      expect([file, warnings]).toEqual([file, '']);
      const pictures = packets.filter(({ codec_type }) => codec_type === 'video');
      expect(pictures[0]?.flags).toMatch(/^K/);
      // It ends with the picture that is shown last, of which some before may be missing where B-frames are cut off.
      expect(Math.abs(pictures.length * 40 - durationMs)).toBeLessThan(400);
    }
    const [line] = sluice.log.filter(({ msg }) => msg === 'the recording goes on in a new file');
    const between = Date.parse(files[1]?.startedAt ?? '') - Date.parse(files[0]?.endsAt ?? '');
    expect(Math.abs(Number(line?.lostMs) - between)).toBeLessThan(300);

    for (const kind of ['video', 'audio'] as const) {
      const times = viewer.samples.filter((sample) => sample.kind === kind).map(({ dts }) => dts);
      expect(times.slice(1).filter((time, at) => time - (times[at] ?? 0) > 100_000)).toEqual([]);
    }
    await viewer.leave();
  }, 120_000);
});
