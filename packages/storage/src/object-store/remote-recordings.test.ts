import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { EventBus, type Logger, type RecordedFile, silentLogger, systemClock } from '@sluice/core';
import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.js';
import { RecordingDisk } from '../recorder/disk/recording-disk.js';
import { RecordingRemover } from '../recorder/recording-remover.js';
import { Storage } from '../storage.js';
import type { ObjectStoreSettings } from './object-store.js';
import { probeObjectStore } from './probe.js';
import { RemoteRecordings } from './remote-recordings.js';
import { refuse, S3Server } from './testing/s3-server.js';

const MIB = 1024 * 1024;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const SECRET = 'not-the-secret-of-this-store';

describe('RemoteRecordings', () => {
  let server: S3Server;
  let dir: string;
  let root: string;
  let storage: Storage;
  let settings: ObjectStoreSettings;
  let told: string[];
  let logged: string;
  let ends: (() => Promise<void>)[];

  beforeEach(async () => {
    server = await S3Server.start();
    settings = server.settings();
    dir = mkdtempSync(join(tmpdir(), 'sluice-remote-'));
    root = join(dir, 'recordings');
    storage = await Storage.open({ dir, log: silentLogger });
    told = [];
    logged = '';
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends) await end();
    await storage.close();
    await server.close();
    rmSync(dir, { recursive: true });
  });

  const start = () => {
    const method: Logger['info'] = (fields, message) => {
      logged += `${message} ${JSON.stringify(fields)}\n`;
    };
    const log: Logger = { debug: method, info: method, warn: method, error: method };
    const events = new EventBus(log);
    for (const name of ['uploaded', 'removed', 'damaged'] as const) {
      events.on(`recording-file-${name}`, (event) => {
        told.push([name, event.file.id, ...('reason' in event ? [event.reason] : [])].join(' '));
      });
    }
    const disk = RecordingDisk.start({ root, maxWaitingBytes: () => MIB, log });
    const remover: RecordingRemover = new RecordingRemover({
      index: storage.recordings,
      disk,
      events,
      removeRemote: (file) => remote.delete(file),
    });
    const remote = new RemoteRecordings({
      settings: () => settings,
      index: storage.recordings,
      journal: storage.uploads,
      events,
      root,
      remover,
      clock: systemClock,
      random: () => 0,
      log,
    });
    let isOpen = true;
    const close = async () => {
      if (isOpen) await Promise.all([remote.close(), disk.close()]);
      isOpen = false;
    };
    ends.push(close);
    return { remote, remover, events, close };
  };

  /** A finished file, on the disk and in the index. */
  const record = async (id: string, bytes: Buffer, over: Partial<RecordedFile> = {}): Promise<RecordedFile> => {
    const file: RecordedFile = {
      id,
      recording: 'r1',
      path: 'live/show' as RecordedFile['path'],
      container: 'mp4',
      file: `live/show/${id}.mp4`,
      state: 'ready',
      startedAt: millis(1000),
      duration: 60_000,
      bytes: bytes.length,
      tracks: [],
      gaps: [],
      sha256: sha256(bytes),
      isLocal: true,
      ...over,
    };
    const local = join(root, file.file);
    mkdirSync(dirname(local), { recursive: true });
    writeFileSync(local, bytes);
    await storage.recordings.put(file);
    return file;
  };
  const indexed = async (id: string): Promise<RecordedFile> => {
    const file = await storage.recordings.get(id);
    if (file === undefined) throw new Error(`${id} is not in the index`);
    return file;
  };
  const read = (stream: AsyncIterable<Buffer>) => buffer(stream);
  const uploaded = (id: string) => until(`${id} is uploaded`, () => told.includes(`uploaded ${id}`));
  const partsAsked = () =>
    server.requests.flatMap((request) => /^PUT .*partNumber=(\d+)/.exec(request)?.[1] ?? []).map(Number);

  it('uploads a small file in one go, when it is ready', async () => {
    const { events } = start();
    const bytes = randomBytes(1000);
    settings = { ...settings, prefix: 'sluice/' };
    const file = await record('a', bytes);
    events.emit('recording-file-ready', { file });
    await uploaded('a');
    expect(readFileSync(server.fileOf('sluice/live/show/a.mp4'))).toEqual(bytes);
    expect((await indexed('a')).remote).toMatchObject({ bucket: 'recordings', key: 'sluice/live/show/a.mp4' });
    expect(server.requests.filter((request) => request.startsWith('PUT'))).toHaveLength(1);
  });

  it('uploads a large file in parts, at the start where it has no copy yet', async () => {
    const bytes = randomBytes(40 * MIB);
    await record('a', bytes);
    const signedHashes: unknown[] = [];
    server.intercept = ({ url = '', headers }) => {
      if (url.includes('partNumber')) signedHashes.push(headers['x-amz-content-sha256']);
      return false;
    };
    const { remote } = start();
    await uploaded('a');
    expect(partsAsked()).toEqual([1, 2, 3, 4, 5]);
    expect(signedHashes).toEqual(
      Array.from({ length: 5 }, (_, part) => sha256(bytes.subarray(part * 8 * MIB, (part + 1) * 8 * MIB))),
    );
    expect(readFileSync(server.fileOf('live/show/a.mp4')).equals(bytes)).toBe(true);
    expect(await storage.uploads.load()).toEqual([]);
    expect(remote.trouble).toBeUndefined();
  });

  it('goes on after a restart with the part that is next', async () => {
    const bytes = randomBytes(40 * MIB);
    await record('a', bytes);
    server.intercept = ({ url = '' }) => url.includes('partNumber=4');
    const first = start();
    await until('the fourth part is under way', () => partsAsked().includes(4));
    await first.close();
    await storage.close();
    expect(told).toEqual([]);

    server.intercept = undefined;
    server.requests.length = 0;
    storage = await Storage.open({ dir, log: silentLogger });
    start();
    await uploaded('a');
    expect(partsAsked()).toEqual([4, 5]);
    expect(readFileSync(server.fileOf('live/show/a.mp4')).equals(bytes)).toBe(true);
  });

  it('begins anew where the store has forgotten the parts', async () => {
    const bytes = randomBytes(17 * MIB);
    await record('a', bytes);
    let isForgotten = false;
    server.intercept = ({ url = '' }, response) => {
      if (isForgotten || !url.includes('partNumber=2')) return false;
      isForgotten = true;
      return refuse(response, 404, 'NoSuchUpload');
    };
    start();
    await uploaded('a');
    expect(partsAsked()).toEqual([1, 2, 1, 2, 3]);
    expect(readFileSync(server.fileOf('live/show/a.mp4')).equals(bytes)).toBe(true);
  });

  it('sends nothing twice where only the answer to the completion was lost', async () => {
    await record('a', randomBytes(9 * MIB));
    server.intercept = (request, response) => {
      if (request.method === 'POST' && !(request.url ?? '').includes('uploads')) {
        response.end = () => {
          request.socket.destroy();
          return response;
        };
      }
      return false;
    };
    const { close } = start();
    await until('it is to be completed', () => existsSync(server.fileOf('live/show/a.mp4')));
    await close();
    server.intercept = undefined;
    server.requests.length = 0;
    start();
    await uploaded('a');
    expect(partsAsked()).toEqual([]);
    expect(await storage.uploads.load()).toEqual([]);
  });

  it('waits while the store has a fault, and goes on', async () => {
    let refusals = 0;
    server.intercept = (_, response) => ++refusals <= 4 && refuse(response, 503, 'SlowDown');
    await record('a', randomBytes(10));
    start();
    await uploaded('a');
    expect(logged).toContain('HTTP 503');
  });

  it('says that the key is refused, without showing it, and goes on with the right one', async () => {
    settings = server.settings({ secretAccessKey: SECRET });
    await record('a', randomBytes(9 * MIB));
    const { remote } = start();
    await until('it is refused', () => remote.trouble !== undefined);
    expect(remote.trouble).toContain('recording.s3.accessKeyId');
    expect(remote.waiting).toBe(1);
    settings = server.settings();
    await uploaded('a');
    expect(remote.trouble).toBeUndefined();
    expect(logged).toContain('uploading is interrupted');
    expect(logged).not.toContain(SECRET);
  });

  it('does not upload what is not what was recorded', async () => {
    await record('a', randomBytes(9 * MIB), { sha256: 'ab'.repeat(32) });
    await record('b', randomBytes(10), { bytes: 11 });
    await record('c', randomBytes(10));
    rmSync(join(root, 'live/show/c.mp4'));
    start();
    await until('all are looked at', () => logged.split('cannot be uploaded').length === 4 && told.length === 2);
    expect((await indexed('a')).state).toBe('damaged');
    expect((await indexed('b')).reason).toContain('has 10 bytes, and had 11');
    // Its disk may only be away.
    expect((await indexed('c')).state).toBe('ready');
    expect(await storage.uploads.load()).toEqual([]);
    expect(server.requests).toContain('DELETE /recordings/live/show/a.mp4');
    expect(existsSync(server.fileOf('live/show/a.mp4'))).toBe(false);
  });

  it('never replaces an object of another file', async () => {
    const [before, now] = [randomBytes(10), randomBytes(20)];
    await record('a', before);
    const { events } = start();
    await uploaded('a');
    const file = await record('b', now, { file: 'live/show/a.mp4' });
    events.emit('recording-file-ready', { file });
    await uploaded('b');
    expect((await indexed('b')).remote?.key).toBe('live/show/a-b.mp4');
    expect(readFileSync(server.fileOf('live/show/a.mp4'))).toEqual(before);
    expect(readFileSync(server.fileOf('live/show/a-b.mp4'))).toEqual(now);
  });

  it('removes the local file a while after, and not before', async () => {
    settings = server.settings({ deleteLocalAfterSeconds: 100 });
    const bytes = randomBytes(9 * MIB);
    const { file } = await record('a', bytes);
    const { remote } = start();
    await uploaded('a');
    const at = (await indexed('a')).remote?.uploadedAt ?? 0;
    await remote.sweep(at + 99_000);
    expect(existsSync(join(root, file))).toBe(true);
    await remote.sweep(at + 100_000);
    expect(existsSync(join(root, 'live'))).toBe(false);
    expect(await indexed('a')).toMatchObject({ state: 'ready', isLocal: false });
    expect(told).toEqual(['uploaded a', 'removed a moved']);
  });

  it('keeps the local file where the copy is not whole, and uploads it again', async () => {
    settings = server.settings({ deleteLocalAfterSeconds: 0 });
    const bytes = randomBytes(9 * MIB);
    const { file } = await record('a', bytes);
    const { remote } = start();
    await uploaded('a');
    told = [];
    truncateSync(server.fileOf('live/show/a.mp4'), 9 * MIB - 1);
    await remote.sweep(Date.now() + 1000);
    await uploaded('a');
    expect(existsSync(join(root, file))).toBe(true);
    expect(readFileSync(server.fileOf('live/show/a.mp4')).equals(bytes)).toBe(true);
    await remote.sweep(Date.now() + 1000);
    expect(existsSync(join(root, file))).toBe(false);
  });

  it('notices that the store has less than was sent', async () => {
    await record('a', randomBytes(9 * MIB));
    let isCut = false;
    server.intercept = ({ method }) => {
      const object = server.fileOf('live/show/a.mp4');
      if (method !== 'HEAD' || isCut || !existsSync(object)) return false;
      isCut = true;
      truncateSync(object, 1);
      return false;
    };
    start();
    await uploaded('a');
    expect(logged).toContain('The object store has 1 bytes');
    expect(readFileSync(server.fileOf('live/show/a.mp4'))).toHaveLength(9 * MIB);
  });

  it('gives a URL by which ranges can be read for a while', async () => {
    const bytes = randomBytes(100_000);
    await record('a', bytes);
    const { remote } = start();
    await uploaded('a');
    const url = (await remote.url(await indexed('a'))) ?? '';
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('3660');
    const answer = await fetch(url, { headers: { range: 'bytes=10-19' } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-type')).toBe('video/mp4');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes.subarray(10, 20));
    const forged = await fetch(url.replace(/X-Amz-Signature=\w{4}/, 'X-Amz-Signature=0000'));
    expect(forged.status).toBe(403);
    settings = { ...settings, playback: 'proxy' };
    expect(await remote.url(await indexed('a'))).toBeUndefined();
  });

  it('reads ranges for those that play through this server', async () => {
    const bytes = randomBytes(100_000);
    const local = await record('a', bytes);
    const { remote } = start();
    await uploaded('a');
    const file = await indexed('a');
    expect(await read(remote.read(file, { start: 5, end: 11 }))).toEqual(bytes.subarray(5, 12));
    expect((await read(remote.read(file, { start: 0, end: 99_999 }))).equals(bytes)).toBe(true);
    for await (const some of remote.read(file, { start: 0, end: 99_999 })) {
      expect(some.length).toBeGreaterThan(0);
      break;
    }
    await expect(read(remote.read(file, { start: 99_990, end: 100_000 }))).rejects.toMatchObject({ code: 'mismatch' });
    await expect(read(remote.read(local, { start: 0, end: 1 }))).rejects.toMatchObject({ code: 'missing' });
    rmSync(server.fileOf('live/show/a.mp4'));
    await expect(read(remote.read(file, { start: 0, end: 1 }))).rejects.toMatchObject({ code: 'missing' });
  });

  it('deletes the object with the recording', async () => {
    await record('a', randomBytes(10));
    const { remover } = start();
    await uploaded('a');
    await remover.remove('a');
    expect(existsSync(server.fileOf('live/show/a.mp4'))).toBe(false);
    expect(await storage.recordings.get('a')).toBeUndefined();
  });

  it('ends an upload of a recording that is deleted, and frees its parts', async () => {
    await record('a', randomBytes(20 * MIB));
    server.intercept = ({ url = '' }) => url.includes('partNumber=2');
    const { remote, remover } = start();
    await until('the second part is under way', () => partsAsked().includes(2));
    await remover.remove('a');
    await until('the upload is over', async () => remote.waiting === 0 && (await storage.uploads.load()).length === 0);
    expect(server.requests).toContain('DELETE /recordings/live/show/a.mp4');
    expect(await storage.recordings.get('a')).toBeUndefined();
    expect(told).toEqual(['removed a asked']);
  });

  it('begins when a bucket is named', async () => {
    settings = { ...server.settings(), bucket: undefined };
    await record('a', randomBytes(10));
    const { remote } = start();
    await remote.sweep(0);
    expect(remote.waiting).toBe(0);
    settings = server.settings();
    remote.changed();
    await uploaded('a');
  });

  it('is told apart by what fails', async () => {
    await probeObjectStore(settings);
    const code = (over: Partial<ObjectStoreSettings>) =>
      probeObjectStore({ ...settings, ...over }).then(
        () => 'none',
        (error: { code: string; message: string }) => {
          expect(error.message).not.toContain(SECRET);
          return error.code;
        },
      );
    expect(await code({ secretAccessKey: SECRET })).toBe('refused');
    expect(await code({ accessKeyId: undefined })).toBe('refused');
    expect(await code({ bucket: 'another' })).toBe('no-bucket');
    expect(await code({ bucket: undefined })).toBe('off');
    expect(await code({ endpoint: 'http://127.0.0.1:1' })).toBe('unreachable');
    expect(await code({ endpoint: 'http://store.invalid' })).toBe('unreachable');
    server.intercept = ({ method }, response) => method === 'PUT' && refuse(response, 403, 'AccessDenied');
    expect(await code({})).toBe('refused');
  });
});
