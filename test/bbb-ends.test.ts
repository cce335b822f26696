import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { MeetingOptions, StubOptions } from './bbb-stub/src/index.js';
import { api } from './support/api.js';
import { CaptureServer, writeSecret } from './support/capture-server.js';
import { lookAtCapture } from './support/captured.js';
import { runSluice } from './support/command.js';
import { IS_BBB_LONG } from './support/long.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const QUICK = '  profiles:\n    default: { waitSeconds: 10, width: 640, height: 360, fps: 15, videoKbps: 600 }\n';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(meetings: MeetingOptions[] = [], yaml = QUICK, stub: StubOptions = {}): Promise<CaptureServer> {
  const server = await CaptureServer.start(stub, yaml, meetings);
  closing.push(() => server.stop());
  return server;
}

interface Trial {
  readonly name: string;
  readonly meeting?: Partial<MeetingOptions>;
  readonly spoil?: (server: CaptureServer) => Promise<void>;
  /** A link in place of the API. */
  readonly joinUrl?: (server: CaptureServer) => string;
  readonly failure: string;
  readonly exitCode: number;
  readonly isLong: boolean;
}

const TRIALS: readonly Trial[] = [
  {
    name: 'a wrong secret',
    meeting: {},
    spoil: ({ secretFile }) => writeSecret(secretFile, 'nobody-has-this-one'),
    failure: 'wrong-secret',
    exitCode: 10,
    isLong: false,
  },
  { name: 'a missing meeting', failure: 'no-meeting', exitCode: 12, isLong: true },
  {
    name: 'a guest who is not let in',
    meeting: { guestPolicy: 'ALWAYS_DENY' },
    failure: 'guest-denied',
    exitCode: 13,
    isLong: true,
  },
  {
    name: 'a full meeting',
    meeting: { maxParticipants: 1 },
    failure: 'meeting-full',
    exitCode: 14,
    isLong: true,
  },
  {
    name: 'a link of an earlier meeting',
    meeting: {},
    joinUrl: ({ stub }) => stub.joinUrl({ meetingID: 'room', fullName: 'Stream', createTime: '1' }),
    failure: 'link-expired',
    exitCode: 15,
    isLong: true,
  },
];

describe('ends in the right error on API, log and command line', () => {
  test.each(TRIALS.filter(({ isLong }) => IS_BBB_LONG || !isLong))(
    '$name',
    async ({ meeting, spoil, joinUrl, failure, exitCode }) => {
      const server = await start(meeting === undefined ? [] : [{ meetingID: 'room', ...meeting }]);
      await spoil?.(server);
      const link = joinUrl === undefined ? {} : { joinUrl: joinUrl(server) };
      const id = await server.capture('room', 'live/room', link);
      await server.reaches(id, ({ state }) => state === 'failed');
      expect(await server.shown(id)).toMatchObject({ failure });
      expect(server.sluice.log).toContainEqual(expect.objectContaining({ level: 'warn', capture: id, failure }));
      expect(await server.metric(`sluice_bbb_stream_errors_total{error_type="${failure}"}`)).toBe(1);
      expect(await server.health()).toBe(503);

      const folder = await mkdtemp(join(tmpdir(), 'sluice-bbb-cli-'));
      closing.push(() => rm(folder, { recursive: true }));
      const file = join(folder, 'link');
      if (joinUrl !== undefined) await writeSecret(file, joinUrl(server));
      const config = join(folder, 'sluice.yml');
      const own = `bbb:\n  url: ${server.stub.url}\n  secretFile: ${server.secretFile}\n${QUICK}`;
      await writeFile(config, `${own}  targets: ['${server.sluice.rtmp}']\n`);
      const args = ['bbb', 'start', '-c', config, '--meeting', 'room', '--to', `${server.sluice.rtmp}/live/other`];
      const outcome = await runSluice([...args, ...(joinUrl === undefined ? [] : ['--join-url-file', file])]);
      expect(outcome.stdout, outcome.stderr).toContain(`failed, ${failure}`);
      expect(outcome.stderr).toContain('use --to-file');
      expect(outcome.code).toBe(exitCode);
    },
    120_000,
  );
});

test('what can not begin is refused, and written down', async () => {
  const server = await start([{ meetingID: 'room' }], `${QUICK}  maxCaptures: 1\n`);
  const ask = (body: unknown) =>
    api<{ error: { code: string; field?: string } }>(server.sluice, 'POST', '/api/v2/bbb/captures', body);
  const refused = async (body: unknown) => {
    const { status, body: answer } = await ask(body);
    return [status, answer.error.code, answer.error.field];
  };
  const key = 'key-Not4Logs';
  const elsewhere = `rtmp://elsewhere.example/live/${key}`;
  expect(await refused({ meetingId: 'room', target: elsewhere })).toEqual([403, 'target-not-allowed', 'target']);
  expect(await refused({ meetingId: 'room', target: '../etc' })).toEqual([400, 'bad-request', 'target']);
  expect(await refused({ meetingId: 'a,b', target: 'live/room' })).toEqual([400, 'bad-request', 'meetingId']);
  const other = { meetingId: 'room', target: 'live/room', profile: 'other' };
  expect(await refused(other)).toEqual([400, 'bad-request', 'profile']);
  // The sixth in a row comes too soon.
  const id = await server.capture('nobody', 'live/room');
  expect((await ask({ meetingId: 'room', target: 'live/other' })).status).toBe(429);
  const anonymous = await fetch(`${server.sluice.api}/api/v2/bbb/captures`);
  expect(anonymous.status).toBe(401);
  let entries: { target: string; result: string; detail: string }[] = [];
  await until('it is written down', async () => {
    const { body } = await api<{ entries: typeof entries }>(server.sluice, 'GET', '/api/v2/audit?action=capture.start');
    entries = body.entries;
    return entries.length >= 5;
  });
  expect(entries.map(({ target, result }) => `${target} ${result}`)).toEqual([
    'nobody ok',
    'room refused',
    'a,b refused',
    'room refused',
    'room refused',
  ]);
  expect(entries.at(0)?.detail).toContain(id);
  expect(JSON.stringify(entries)).not.toContain(key);
});

describe.runIf(IS_BBB_LONG)('at length', () => {
  test('two meetings at once stay apart', async () => {
    const server = await start([{ meetingID: 'one' }, { meetingID: 'two' }]);
    server.stub.meetings.get('one')?.act({ do: 'sound', mode: 'silent' });
    const one = await server.capture('one', 'live/one');
    const two = await server.capture('two', 'live/two');
    await server.live(two);
    await server.reaches(one, ({ state, trouble }) => state === 'degraded' && trouble === 'silent');
    const [first, second] = await Promise.all(
      ['one', 'two'].map((name) => lookAtCapture(`${server.sluice.http}/live/${name}.flv`, 6)),
    );
    expect(first?.toneShare).toBeLessThan(0.02);
    expect(second?.toneShare).toBeGreaterThan(0.95);
    const { rejoins } = await server.shown(two);
    server.stub.meetings.get('one')?.act({ do: 'end' });
    await server.reaches(one, ({ state }) => state === 'ended', 12_000);
    // A busy machine may make it slow; it is in its meeting all the same.
    expect(await server.shown(two)).toMatchObject({ state: expect.stringMatching('live|degraded'), rejoins });
    await api(server.sluice, 'DELETE', `/api/v2/bbb/captures/${two}`);
    await server.reaches(two, ({ state, reason }) => state === 'ended' && reason === 'stopped');
  }, 120_000);

  test('a meeting that begins later, with a lobby', async () => {
    const server = await start();
    const id = await server.capture('room', 'live/room');
    await server.reaches(id, ({ state }) => state === 'waiting');
    server.stub.meetings.create({ meetingID: 'room', guestPolicy: 'ASK_MODERATOR' });
    await server.reaches(id, ({ step }) => step === 'waits in the lobby');
    server.stub.meetings.get('room')?.act({ do: 'admit' });
    await server.live(id);
  }, 90_000);

  test('a target that refuses is told of, and given up', async () => {
    const target = await startServer('access:\n  publish: closed\n');
    closing.push(() => target.stop());
    const server = await start([{ meetingID: 'room' }], `${QUICK}  targets: ['${target.rtmp}']\n`);
    const id = await server.capture('room', `${target.rtmp}/live/room`);
    await server.reaches(id, ({ failure }) => failure === 'target-refused', 60_000);
  }, 90_000);

  test('a stream of this server is published to, also where that takes a credential', async () => {
    const server = await start([{ meetingID: 'room' }], `${QUICK}access:\n  publish: credential\n`);
    await server.live(await server.capture('room', 'live/room'));
  }, 90_000);

  test('a browser that takes too much memory is started anew', async () => {
    const yaml = QUICK.replace(' }', ', memoryMib: 256 }');
    const server = await start([{ meetingID: 'room' }], yaml);
    const id = await server.capture('room', 'live/room');
    await server.reaches(id, ({ rejoins }) => rejoins >= 2, 60_000);
    const said = JSON.stringify(server.sluice.log);
    expect(said).toMatch(/the browser takes \d+ MiB of 256 MiB/);
  }, 90_000);

  test.each(['2.4', '2.7', '3.0', 'livekit'] as const)(
    'the notice in the chat of %s',
    async (skin) => {
      const notice = QUICK.replace(' }', ", chatMessage: 'We are on air.' }");
      const server = await start([{ meetingID: 'room' }], notice, { skin });
      const id = await server.capture('room', 'live/room');
      await server.live(id);
      const chat = () => server.stub.meetings.get('room')?.chat ?? [];
      await until('it is said', () => chat().length > 0);
      expect(chat()).toEqual([{ from: 'Live stream', text: 'We are on air.' }]);
      // What was opened for it is not seen, and closed again.
      const { forbidden } = await lookAtCapture(`${server.sluice.http}/live/room.flv`, 4);
      for (const [part, share] of Object.entries(forbidden)) expect(share, part).toBeLessThan(0.001);
    },
    90_000,
  );
});
