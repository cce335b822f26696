import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { CallbackServer } from './support/callback-server.js';
import { makeClip } from './support/clip.js';
import { runSluice } from './support/command.js';
import { ClipPublisher } from './support/publisher.js';
import { API_TOKEN, startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

interface Recorded {
  readonly id: string;
  readonly recording: string;
  readonly path: string;
  readonly file: string;
  readonly state: string;
  readonly startedAt: string;
  readonly endsAt: string;
  readonly durationMs: number;
  readonly bytes: number;
  readonly sha256: string | null;
}

interface Check {
  readonly state: string;
  readonly files: number;
  readonly findings: readonly { fault: string; file: string; id: string | null; repaired: boolean }[];
}

const FILES = '/api/v2/recordings/files';

describe('recordings by the API', () => {
  let directory: string;
  let sluice: TestServer;
  let callbacks: CallbackServer;
  let publisher: ClipPublisher;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-recordings-'));
    callbacks = await CallbackServer.start();
    const hooks = `{ onDvr: ["${callbacks.url('/dvr')}"], onRecording: ["${callbacks.url('/own')}"] }`;
    sluice = await startServer(`callbacks: ${hooks}`, {}, { dataDirectory: directory });
    const clip = await makeClip('h264', 2);
    publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show?token=abc`, clip, { loop: true });
    await until('it is live', async () => (await sizeOf('/api/v2/streams', 'streams')) === 1);
  });
  afterAll(async () => {
    await publisher.stop();
    await sluice.stop();
    await callbacks.close();
    await rm(directory, { recursive: true });
  });

  const sizeOf = async (path: string, key: string) =>
    (await api<Record<string, unknown[]>>(sluice, 'GET', path)).body[key]?.length;
  const list = async (query = '') =>
    (await api<{ recordings: Recorded[]; cursor: string | null }>(sluice, 'GET', `/api/v2/recordings${query}`)).body;
  const start = (body: object) =>
    api<{ id: string; error: { code: string } }>(sluice, 'POST', '/api/v2/recordings/start', body);
  const active = async () =>
    (
      await api<{ recordings: { id: string; state: string; files: number; bytes: number }[] }>(
        sluice,
        'GET',
        '/api/v2/recordings/active',
      )
    ).body.recordings;
  const told = (path: string) =>
    callbacks.received.flatMap((received) =>
      received.path === path ? [JSON.parse(received.text) as Record<string, unknown>] : [],
    );
  const onDisk = (file: string) => join(directory, 'recordings', file);
  /** Records two files of a TS recording, and waits until they are whole. */
  const recordTwo = async (): Promise<Recorded[]> => {
    const { status, body } = await start({ path: 'live/show', container: 'ts' });
    expect(status).toBe(201);
    const at = `/api/v2/recordings/active/${body.id}`;
    await until('something is on the disk', async () => ((await active())[0]?.bytes ?? 0) > 0);
    expect((await api(sluice, 'POST', `${at}/split`)).status).toBe(204);
    await until('there is a second file', async () => (await active())[0]?.files === 2);
    const { bytes = 0 } = (await active())[0] ?? {};
    await until('it grows', async () => ((await active())[0]?.bytes ?? 0) > bytes);
    expect((await api(sluice, 'POST', `${at}/stop`)).status).toBe(204);
    expect((await api(sluice, 'POST', `${at}/stop`)).status).toBe(404);
    const mine = async () => (await list('?state=ready')).recordings.filter(({ recording }) => recording === body.id);
    await until('both are whole', async () => (await mine()).length === 2);
    return mine();
  };

  it('are begun, split and ended by hand, listed, told of and counted', async () => {
    const [second, first] = await recordTwo();
    if (first === undefined || second === undefined) throw new Error('there are no files');
    expect(first).toMatchObject({ path: 'live/show', container: 'ts', reason: null, remote: null, isLocal: true });
    expect((await stat(onDisk(first.file))).size).toBe(first.bytes);
    expect(first.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(Date.parse(first.startedAt) + first.durationMs).toBeCloseTo(Date.parse(first.endsAt), -1);
    expect(Math.abs(Date.parse(second.startedAt) - Date.parse(first.endsAt)), 'no seam').toBeLessThan(200);
    expect((await api(sluice, 'GET', `${FILES}/${first.id}`)).body).toEqual(first);

    const page = await list('?limit=1&path=live/show');
    expect([page.recordings, page.cursor]).toEqual([[second], expect.any(String)]);
    expect(await list(`?limit=1&cursor=${page.cursor}`)).toEqual({ recordings: [first], cursor: null });
    expect((await list(`?to=${second.startedAt}`)).recordings).toEqual([first]);
    expect((await list(`?from=${second.endsAt}`)).recordings).toEqual([]);
    expect((await list('?state=damaged')).recordings).toEqual([]);
    const { body } = await api<{ paths: object[] }>(sluice, 'GET', '/api/v2/recordings/paths');
    const bytes = first.bytes + second.bytes;
    expect(body.paths).toEqual([{ path: 'live/show', files: 2, bytes, first: first.startedAt, last: second.endsAt }]);

    await until('SRS would have told of both', () => told('/dvr').length === 2);
    expect(told('/dvr')[0]).toMatchObject({
      ...{ action: 'on_dvr', app: 'live', stream: 'show', param: '?token=abc', ip: '127.0.0.1', cwd: process.cwd() },
      file: onDisk(first.file),
      client_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const events = () =>
      told('/own')
        .map(({ event }) => event)
        .sort();
    const expected = ['recording.ended', 'recording.file', 'recording.file', 'recording.started'];
    await until('all is told', () => events().length === expected.length);
    expect(events()).toEqual(expected);

    const metrics = await (await fetch(`${sluice.api}/metrics`)).text();
    expect(metrics).toContain('sluice_recording_files{state="ready",place="disk"} 2');
    expect(metrics).toContain(`sluice_recording_bytes{state="ready",place="disk"} ${bytes}`);
    expect(metrics).toContain('sluice_recordings{state="recording"} 0');
    expect(metrics).toContain('sluice_recording_waiting_bytes 0');
    expect(metrics).toContain('sluice_recording_pauses_total{trouble="disk-full"} 0');
  });

  it('are refused with a reason', async () => {
    expect(await start({ path: 'live/nobody' })).toMatchObject({ status: 404, body: { error: { code: 'not-live' } } });
    expect(await start({ path: 'bad' })).toMatchObject({ status: 400, body: { error: { code: 'bad-name' } } });
    const { body } = await start({ path: 'live/show', container: 'flv' });
    expect(await start({ path: 'live/show', container: 'flv' })).toMatchObject({ status: 409 });
    await until('it is written', async () => (await list('?state=writing')).recordings.length === 1);
    const [writing] = (await list('?state=writing')).recordings;
    expect(await api(sluice, 'DELETE', `${FILES}/${writing?.id}`)).toMatchObject({
      status: 409,
      body: { error: { code: 'busy' } },
    });
    expect((await api(sluice, 'POST', `/api/v2/recordings/active/${body.id}/stop`)).status).toBe(204);
    await until('it is whole', async () => (await list('?state=writing')).recordings.length === 0);
    expect((await api(sluice, 'POST', '/api/v2/recordings/active/none/split')).status).toBe(404);
    expect((await api(sluice, 'GET', `${FILES}/..%2f..%2fetc%2fpasswd`)).status).toBe(404);
    for (const query of ['cursor=x', 'cursor=W10', 'from=yesterday', 'state=odd', 'path=../x', 'limit=0', 'other=1']) {
      expect((await api(sluice, 'GET', `/api/v2/recordings?${query}`)).status, query).toBe(400);
    }
  });

  it('can be read by who may read, and changed by operators only', async () => {
    const made = await api<{ key: string }>(sluice, 'POST', '/api/v2/api-keys', { label: 'reader', scopes: ['read'] });
    const reader = { Authorization: `Bearer ${made.body.key}`, 'Content-Type': 'application/json' };
    const ask = async (method: string, path: string, headers = {}) =>
      (
        await api(
          sluice,
          method,
          `/api/v2/recordings${path}`,
          method === 'GET' || method === 'DELETE' ? undefined : {},
          headers,
        )
      ).status;
    for (const path of ['', '/paths', '/active']) expect(await ask('GET', path, reader)).toBe(200);
    for (const [method, path] of [
      ['POST', '/start'],
      ['POST', '/active/x/stop'],
      ['POST', '/active/x/split'],
      ['DELETE', '/files/x'],
      ['PATCH', '/files/x'],
      ['POST', '/check'],
    ] as const) {
      expect([await ask(method, path, reader), await ask(method, path)], path).toEqual([403, 401]);
    }
  });

  it('are removed from the disk, and who did it is kept', async () => {
    const [file] = (await list('?path=live/show')).recordings;
    if (file === undefined) throw new Error('there is no file');
    const keep = async (isKept: boolean) => (await api(sluice, 'PATCH', `${FILES}/${file.id}`, { isKept })).body;
    expect(await keep(true)).toMatchObject({ id: file.id, isKept: true });
    expect(await api(sluice, 'DELETE', `${FILES}/${file.id}`)).toMatchObject({
      status: 409,
      body: { error: { code: 'kept' } },
    });
    expect(await keep(false)).toMatchObject({ isKept: false });
    expect((await api(sluice, 'PATCH', `${FILES}/x`, { isKept: true })).status).toBe(404);
    expect((await api(sluice, 'DELETE', `${FILES}/${file.id}`)).status).toBe(204);
    expect(existsSync(onDisk(file.file))).toBe(false);
    expect((await api(sluice, 'DELETE', `${FILES}/${file.id}`)).status).toBe(404);
    const audited = async () =>
      (await api<{ entries: object[] }>(sluice, 'GET', '/api/v2/audit?action=recording.delete')).body.entries;
    await until('it is in the audit log', async () => (await audited()).length > 0);
    expect(await audited()).toMatchObject([{ actor: 'api-token', target: file.id, result: 'ok' }]);
    await until('it is told', () => told('/own').some(({ event }) => event === 'recording.removed'));
  });

  it('are checked against the disk: by the API, by the command, and without a server', async () => {
    const [kept, gone] = await recordTwo();
    if (kept === undefined || gone === undefined) throw new Error('there are no files');
    expect((await start({ path: 'live/show', container: 'ts' })).status).toBe(201);
    await until('one is being written', async () => (await list('?state=writing')).recordings.length === 1);
    const check = async (body: object): Promise<Check> => {
      expect((await api(sluice, 'POST', '/api/v2/recordings/check', body)).status).toBe(202);
      let run: Check | undefined;
      await until('it is through', async () => {
        run = (await api<Check>(sluice, 'GET', '/api/v2/recordings/check')).body;
        return run.state !== 'running';
      });
      if (run === undefined) throw new Error('there is no check');
      return run;
    };
    expect(await check({ checksums: true })).toMatchObject({ state: 'done', findings: [] });
    rmSync(onDisk(gone.file));
    truncateSync(onDisk(kept.file), kept.bytes - 1);
    writeFileSync(onDisk('stray.ts'), 'x');

    const environment = { SLUICE_DATA_DIR: directory, SLUICE_API_PORT: new URL(sluice.api).port };
    const run = (args: string[], more: Record<string, string> = {}) =>
      runSluice(['recordings', 'check', ...args], { ...environment, ...more });
    const refused = await run([]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('SLUICE_API_TOKEN')]);
    const lost = await run([], { SLUICE_API_PORT: '1' });
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('stop it first')]);
    const found = await run([], { SLUICE_API_TOKEN: API_TOKEN });
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(new RegExp(`✗  missing +${gone.file} `));
    expect(found.stdout).toMatch(new RegExp(`✗  size +${kept.file} +it has ${kept.bytes - 1} bytes`));
    expect(found.stdout).toContain('3 wrong');
    expect((await list('?state=missing')).recordings.map(({ id }) => id)).toEqual([gone.id]);
    expect((await list('?state=damaged')).recordings.map(({ id }) => id)).toEqual([kept.id]);
    await until(
      'they are told of',
      () => told('/own').filter(({ event }) => event === 'recording.damaged').length === 2,
    );

    await publisher.stop();
    await sluice.stop();
    const repaired = await run(['--repair', '--checksums', '--json']);
    expect(repaired.code).toBe(1);
    expect(JSON.parse(repaired.stdout)).toMatchObject({
      findings: [
        { fault: 'damaged', file: kept.file, repaired: true },
        { fault: 'unknown', file: 'stray.ts', repaired: false },
      ],
    });
    rmSync(onDisk('stray.ts'));
    const well = await run(['--checksums']);
    expect([well.code, well.stdout]).toEqual([0, expect.stringMatching(/^\d+ files, .* 0 wrong, 0 well again\n$/)]);
    expect(readdirSync(join(directory, 'recordings')), 'nothing else was left').toEqual(['live']);
  });
});
