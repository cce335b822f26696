import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RecordedFile, silentLogger } from '@sluice/core';
import { millis } from '@sluice/media';
import { Storage } from '@sluice/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { S3Server } from '../packages/storage/src/object-store/testing/s3-server.js';
import { makeClip } from './support/clip.js';
import { MAIN, runSluice } from './support/command.js';
import { ffprobe } from './support/ffmpeg.js';
import { ClipPublisher, exited } from './support/publisher.js';
import { AS_ADMIN, SECRET_MARK, startServer } from './support/server.js';
import { until } from './support/until.js';

const MIB = 1024 * 1024;

describe('recordings and an object store', () => {
  let store: S3Server;
  let data: string;
  let environment: Record<string, string>;
  beforeEach(async () => {
    store = await S3Server.start();
    data = mkdtempSync(join(tmpdir(), 'sluice-object-store-'));
    const { bucket = '', endpoint = '', accessKeyId = '', secretAccessKey = '' } = store.settings();
    environment = {
      SLUICE_DATA_DIR: data,
      SLUICE_RECORDING_S3_BUCKET: bucket,
      SLUICE_RECORDING_S3_ENDPOINT: endpoint,
      SLUICE_RECORDING_S3_ACCESS_KEY_ID: accessKeyId,
      SLUICE_RECORDING_S3_SECRET_ACCESS_KEY: secretAccessKey,
    };
  });
  afterEach(async () => {
    await store.close();
    rmSync(data, { recursive: true });
  });

  it('moves what was recorded to the store, plays it from there, and deletes it there', async () => {
    const clip = await makeClip('h264', 3);
    const server = await startServer(
      `publish: { graceSeconds: 0 }
recording: { enabled: true, name: '{app}/{name}.{ext}', s3: { deleteLocalAfterSeconds: 0 } }`,
      environment,
      { dataDirectory: data },
    );
    try {
      const publisher = await ClipPublisher.start(`${server.rtmp}/live/show`, clip);
      const local = join(data, 'recordings/live/show.mp4');
      await until('all is sent', () => publisher.done);
      expect(existsSync(local)).toBe(true);
      await publisher.stop();
      const object = store.fileOf('live/show.mp4');
      await until('the store has it', () => existsSync(object));
      await until('it is not here any more', () => readdirSync(join(data, 'recordings')).length === 0);
      const bytes = readFileSync(object);

      const listed = await fetch(`${server.api}/api/v2/recordings?path=live/show`, { headers: AS_ADMIN });
      const { recordings } = (await listed.json()) as { recordings: { id: string; startedAt: string }[] };
      expect(recordings).toMatchObject([{ state: 'ready', isLocal: false, bytes: bytes.length }]);
      const [{ id, startedAt } = { id: '', startedAt: '' }] = recordings;
      const file = `${server.http}/live/show/recordings/${id}.mp4`;
      const redirect = await fetch(file, { redirect: 'manual' });
      expect([redirect.status, redirect.headers.get('location')]).toEqual([
        302,
        expect.stringContaining(store.endpoint),
      ]);
      const range = await fetch(file, { headers: { range: 'bytes=100-199' } });
      expect(range.status).toBe(206);
      expect(Buffer.from(await range.arrayBuffer())).toEqual(bytes.subarray(100, 200));

      await fetch(`${server.api}/api/v2/config`, {
        method: 'PATCH',
        headers: AS_ADMIN,
        body: JSON.stringify({ 'recording.s3.playback': 'proxy' }),
      });
      const proxied = await fetch(file, { redirect: 'manual' });
      expect(proxied.status).toBe(200);
      expect(Buffer.from(await proxied.arrayBuffer()).equals(bytes)).toBe(true);

      const { streams, packets } = await ffprobe(
        `${server.http}/get?path=live/show&start=${encodeURIComponent(startedAt)}&duration=2&format=mp4`,
      );
      expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
      expect(packets.length).toBeGreaterThan(100);

      const vod = await ffprobe(
        `${server.http}/live/show/recordings.m3u8?start=${encodeURIComponent(startedAt)}&duration=2`,
      );
      expect(vod.packets.length).toBeGreaterThan(100);

      const removed = await fetch(`${server.api}/api/v2/recordings/files/${id}`, {
        method: 'DELETE',
        headers: AS_ADMIN,
      });
      expect(removed.ok).toBe(true);
      expect(existsSync(object)).toBe(false);
    } finally {
      await server.stop();
    }
  });

  it('goes on after kill -9 with the part that is next', async () => {
    const bytes = randomBytes(40 * MIB);
    mkdirSync(join(data, 'recordings/live'), { recursive: true });
    writeFileSync(join(data, 'recordings/live/show.mp4'), bytes);
    const storage = await Storage.open({ dir: data, log: silentLogger });
    await storage.recordings.put({
      id: 'f1',
      recording: 'r1',
      path: 'live/show' as RecordedFile['path'],
      container: 'mp4',
      file: 'live/show.mp4',
      state: 'ready',
      startedAt: millis(Date.now() - 60_000),
      duration: 60_000,
      bytes: bytes.length,
      tracks: [],
      gaps: [],
      sha256: createHash('sha256').update(bytes).digest('hex'),
      isLocal: true,
    });
    await storage.close();

    const parts = () => store.requests.flatMap((line) => /^PUT .*partNumber=(\d+)/.exec(line)?.[1] ?? []).map(Number);
    store.intercept = ({ url = '' }) => url.includes('partNumber=3');
    const killed = serve(environment);
    await until('the third part is under way', () => parts().includes(3), 30_000);
    killed.kill('SIGKILL');
    await exited(killed);

    store.intercept = undefined;
    store.requests.length = 0;
    const next = serve(environment);
    const object = store.fileOf('live/show.mp4');
    await until('the store has it', () => existsSync(object) && readFileSync(object).equals(bytes), 30_000);
    next.kill('SIGTERM');
    await exited(next);
    expect(parts()).toEqual([3, 4, 5]);
  });

  it('is tried by the doctor', async () => {
    const doctor = async (more: Record<string, string> = {}) => {
      const { stdout } = await runSluice(['doctor', '--json'], { ...environment, ...more });
      expect(stdout).not.toContain(SECRET_MARK);
      const { findings } = JSON.parse(stdout) as { findings: { check: string; status: string; found: string }[] };
      return findings.filter(({ check }) => check.startsWith('object store'));
    };
    expect(await doctor()).toEqual([
      expect.objectContaining({ check: expect.stringMatching(/encryption$/), status: 'warning' }),
      { check: 'object store, bucket recordings', status: 'ok', found: 'an object could be put, read and deleted' },
    ]);
    expect(await doctor({ SLUICE_RECORDING_S3_SECRET_ACCESS_KEY: `wrong-${SECRET_MARK}` })).toContainEqual(
      expect.objectContaining({
        status: 'failed',
        found: expect.stringMatching(/SignatureDoesNotMatch.*secretAccessKey/),
      }),
    );
  });
});

/** The built server, on free ports. */
function serve(environment: Record<string, string>): ChildProcess {
  const ports = ['RTMP', 'HTTP', 'SRT', 'WEBRTC', 'API'].map((door) => [`SLUICE_${door}_PORT`, '0']);
  return spawn(process.execPath, [MAIN, 'serve'], {
    env: { ...process.env, ...Object.fromEntries(ports), SLUICE_SHUTDOWN_SECONDS: '1', ...environment },
    stdio: 'ignore',
  });
}
