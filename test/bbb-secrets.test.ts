import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { BbbStub } from './bbb-stub/src/index.js';
import { writeSecret } from './support/capture-server.js';
import { MAIN } from './support/command.js';
import { descendants } from './support/processes.js';
import { exited } from './support/publisher.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const KEY = 'stream-key-3b1f0c77';
const TOKEN = 'api-token-5d21c0a9';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It has ended meanwhile, or the file is gone.
    return '';
  }
}

/** Each file below a folder. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('no process, log, audit or database holds a secret while a meeting is captured', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bbb-secrets-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const stub = await BbbStub.start();
  closing.push(() => stub.stop());
  stub.meetings.create({ meetingID: 'room', attendeePW: 'attendee-pw-77aa01' });
  const target = await startServer();
  closing.push(() => target.stop());
  const secretFile = join(folder, 'secret');
  await writeSecret(secretFile, stub.secret);
  const config = join(folder, 'sluice.yml');
  const data = join(folder, 'data');
  const temporary = join(folder, 'tmp');
  await mkdir(temporary);
  await writeFile(
    config,
    [
      `bbb: { url: '${stub.url}', secretFile: '${secretFile}', targets: ['${target.rtmp}'] }`,
      `api: { token: '${TOKEN}', port: 0 }`,
      `data: { dir: '${data}' }`,
      'log: { level: debug, format: json }',
      'rtmp: { port: 0 }\nhttp: { port: 0 }\nsrt: { enabled: false }\nwebrtc: { enabled: false }\n',
    ].join('\n'),
  );
  chmodSync(config, 0o600);
  let said = '';
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'serve', '-c', config], {
    env: { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (bytes: Buffer) => {
      said += bytes;
    });
  }
  closing.push(async () => {
    child.kill('SIGTERM');
    await exited(child);
  });
  await until('it is ready', () => said.includes('"msg":"Sluice is ready"'));
  const port = Number(/"api":(\d+)/.exec(said)?.[1]);
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v2/bbb/captures${path}`, {
      method,
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as { id: string; state: string; rejoins: number; pictures: number };
  };
  const { id } = await ask('POST', '', { meetingId: 'room', target: `${target.rtmp}/live/${KEY}` });
  await until('it is live', async () => (await ask('GET', `/${id}`)).state === 'live', 40_000);

  const attendee = stub.meetings.get('room')?.attendees.at(-1);
  const secrets: Record<string, string | undefined> = {
    'the secret of the API': stub.secret,
    "the stream's key": KEY,
    'the token of the control API': TOKEN,
    "the attendees' password": 'attendee-pw-77aa01',
    'the token of the session': attendee?.sessionToken,
    'the cookie of the session': attendee?.cookie,
    'a signed link': 'checksum=',
    "a session's link": 'sessionToken=',
  };
  const tree = descendants(child.pid).map(({ pid, command }) => ({
    pid,
    command,
    environment: read(`/proc/${pid}/environ`),
  }));
  expect(tree.filter(({ command }) => command.includes('--type=renderer')).length).toBeGreaterThan(0);
  expect(tree.filter(({ command }) => command.includes('adts'))).toHaveLength(1);
  const kept = filesOf(data).map((file) => ({ file, text: read(file) }));
  expect(kept.length).toBeGreaterThan(1);
  for (const [what, secret] of Object.entries(secrets)) {
    expect(secret?.length, what).toBeGreaterThan(8);
    const holds = (text: string) => text.includes(secret ?? '');
    expect(
      tree.filter(({ command }) => holds(command)).map(({ pid }) => pid),
      `${what} in arguments`,
    ).toEqual([]);
    expect(
      tree.filter(({ environment }) => holds(environment)).map(({ pid }) => pid),
      `${what} in environ`,
    ).toEqual([]);
    expect(said.split('\n').filter(holds), `${what} in the log`).toEqual([]);
    expect(
      kept.filter(({ text }) => holds(text)).map(({ file }) => file),
      `${what} on the disk`,
    ).toEqual([]);
  }

  // A reload is a signal, too, and not one for the browser.
  await appendFile(config, 'sessions: { total: 99999 }\n');
  child.kill('SIGHUP');
  await until('the configuration was read again', () => said.includes('the configuration has changed'));
  const before = (await ask('GET', `/${id}`)).pictures;
  await until('it goes on', async () => (await ask('GET', `/${id}`)).pictures > before + 90);
  expect((await ask('GET', `/${id}`)).rejoins).toBe(0);

  // What a browser writes while it runs would be left where it is killed.
  const written = filesOf(temporary).map((file) => ({ file, text: read(file) }));
  expect(written.length).toBeGreaterThan(10);
  for (const [what, secret] of Object.entries(secrets)) {
    const holding = written.filter(({ text }) => text.includes(secret ?? ''));
    expect(
      holding.map(({ file }) => file),
      `${what} in the browser's profile`,
    ).toEqual([]);
  }
}, 90_000);
