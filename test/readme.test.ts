import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configReference } from '@sluice/server';
import { describe, expect, it } from 'vitest';
import { api } from './support/api.js';
import { makeClip } from './support/clip.js';
import { freePort } from './support/free-port.js';
import { ClipPublisher, exited } from './support/publisher.js';
import { SECRET_MARK, startServer } from './support/server.js';
import { until } from './support/until.js';
import { httpFlvViewer } from './support/viewers.js';

const SIGNING_SECRET = `a secret that signs URLs in tests ${SECRET_MARK}`;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFile(new URL(`../${file}`, import.meta.url), 'utf8');
const readme = await read('README.md');

/** The commands of the README's shell blocks. */
const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
const command = (start: string): string => {
  const found = commands.find((line) => line.startsWith(start));
  if (found === undefined) throw new Error(`the README has no command that begins with ${start}`);
  return found;
};

function shell(line: string, environment: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
  let output = '';
  const child = spawn('sh', ['-c', `exec ${line}`], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  return { child, output: () => output };
}

describe('README', () => {
  it('has a page that lists every setting as it is', async () => {
    const page = await read('docs/configuration.md');
    const reference = /<!-- config-reference:.*-->\n([\s\S]*?)\n<!-- \/config-reference -->/.exec(page)?.[1];
    expect(reference, 'run `npm run readme`').toBe(configReference());
  });

  it('has a start command that works, and takes no time when nothing changed', async () => {
    const data = await mkdtemp(join(tmpdir(), 'sluice-readme-'));
    const ports = {
      SLUICE_RTMP_PORT: '0',
      SLUICE_HTTP_PORT: '0',
      SLUICE_API_PORT: '0',
      SLUICE_SRT_PORT: '0',
      SLUICE_WEBRTC_PORT: '0',
    };
    const environment = { ...ports, SLUICE_SHUTDOWN_SECONDS: '1', SLUICE_DATA_DIR: data };
    const { child, output } = shell(command('npm start'), environment);
    let page = '';
    try {
      await until('the URLs are listed', () => /Start page +http/.test(output()), 30_000);
      expect(output()).not.toMatch(/Installing|Building/);
      page = /Start page +(\S+)/.exec(output())?.[1] ?? '';
      expect(await (await fetch(page)).text()).toMatch(/<title>Sluice<\/title>/);
      const status = await (await fetch(`${page}status/streams/live/demo`)).json();
      expect(status).toMatchObject({ state: 'live' });
    } finally {
      // As a terminal does: to the whole group, of npm, the script and the server.
      process.kill(-(child.pid ?? 0), 'SIGTERM');
    }
    await exited(child);
    await until('the server is gone', () =>
      fetch(page).then(
        () => false,
        () => true,
      ),
    );
    await rm(data, { recursive: true });
  });

  it('has lines for the common tasks of an operator, and each of them works', async () => {
    const sluice = await startServer();
    const home = await mkdtemp(join(tmpdir(), 'sluice-home-'));
    await writeFile(join(home, '.netrc'), `default login admin password ${sluice.adminPassword}\n`, { mode: 0o600 });
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv`);
    const { body } = await api<{ sessions: { id: string }[] }>(sluice, 'GET', '/api/v2/sessions?action=play');
    const lines = commands.filter((line) => line.startsWith('curl') && line.includes(':1985'));
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) {
      const own = line.replace('http://localhost:1985', sluice.api).replace('curl', 'curl --fail-with-body -sS');
      const { child, output } = shell(own, { HOME: home, SESSION: body.sessions[0]?.id ?? '' });
      expect(await exited(child), `${line}\n${output()}`).toBe(0);
      expect(output(), line).not.toBe('');
    }
    await until('the viewer is kicked', () => viewer.ended);
    expect((await fetch(`${sluice.http}/live/show.flv`)).status).toBe(200);
    await publisher.stop();
    await sluice.stop();
    await rm(home, { recursive: true });
  });

  it('has a token line that works', async () => {
    const sluice = await startServer('access: { play: credential }', { SLUICE_AUTH_SIGNING_SECRET: SIGNING_SECRET });
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/show`, await makeClip('h264', 2), { loop: true });
    const { child, output } = shell(command('npx sluice token'), { SLUICE_AUTH_SIGNING_SECRET: SIGNING_SECRET });
    expect(await exited(child), output()).toBe(0);
    const viewer = await httpFlvViewer(`${sluice.http}/live/show.flv${/^\?sign=\S+/m.exec(output())?.[0]}`);
    await until('it plays', () => viewer.samples.length > 0);
    await viewer.leave();
    await publisher.stop();
    await sluice.stop();
  });

  it('has lines for firewall and NAT that work', async () => {
    const data = await mkdtemp(join(tmpdir(), 'sluice-readme-nat-'));
    const ports = await Promise.all(
      ['RTMP', 'HTTP', 'SRT', 'WEBRTC', 'API'].map(async (door) => [door, await freePort()]),
    );
    const environment = {
      ...Object.fromEntries(ports.map(([door, port]) => [`SLUICE_${door}_PORT`, String(port)])),
      SLUICE_DATA_DIR: data,
      SLUICE_WEBRTC_TURN_SECRET: SIGNING_SECRET,
      SLUICE_WEBRTC_TURN_REALM: 'example.org',
    };
    for (const [line, said] of [
      ['npx sluice doctor', /^\d+ fine, \d+ to look at, 0 wrong$/m],
      ['npx sluice firewall', /^ {4}udp dport \d+ accept comment "Sluice: WebRTC"$/m],
      ['npx sluice turn-config', /^use-auth-secret$/m],
    ] as const) {
      const { child, output } = shell(command(line), environment);
      expect(await exited(child), `${line}\n${output()}`).toBe(0);
      expect(output()).toMatch(said);
    }
    const listener = shell(command('npx sluice doctor --listen'), environment);
    await until('it listens', () => listener.output().includes('Probes are sent back'));
    const line = command('npx sluice doctor --probe').replace('media.example.org', '127.0.0.1');
    const prober = shell(line, environment);
    const code = await exited(prober.child);
    // As a terminal does: to the whole group, of npx and the command.
    process.kill(-(listener.child.pid ?? 0), 'SIGINT');
    await exited(listener.child);
    expect([code, prober.output()]).toEqual([0, expect.stringMatching(/5 fine, 0 to look at, 0 wrong/)]);
    await rm(data, { recursive: true });
  });

  it('has an ffmpeg and a curl line that work', async () => {
    const sluice = await startServer();
    const publish = command('ffmpeg').replace('rtmp://localhost', sluice.rtmp);
    const { child } = shell(publish.replace('ffmpeg ', 'ffmpeg -nostdin -loglevel error '));
    await until('the stream is live', () => sluice.log.some((line) => line.msg === 'stream is live'));
    const curl = shell(command('curl').replace('http://localhost:8080', sluice.http));
    await exited(curl.child);
    expect(curl.output()).toMatch(/"path":"live\/show","state":"live"/);
    child.kill('SIGTERM');
    await exited(child);
    await sluice.stop();
  });

  it('names the test command that CI runs', async () => {
    expect(command('npm test')).toBe('npm test');
    expect(await readFile(new URL('../.ci/run', import.meta.url), 'utf8')).toMatch(/^exec npm test$/m);
  });
});
