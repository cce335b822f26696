import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { configReference } from '@sluice/server';
import { describe, expect, it } from 'vitest';
import { exited } from './support/publisher.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');

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
  it('lists every setting as it is', () => {
    const reference = /<!-- config-reference:.*-->\n([\s\S]*?)\n<!-- \/config-reference -->/.exec(readme)?.[1];
    expect(reference, 'run `npm run readme`').toBe(configReference());
  });

  it('has a start command that works, and takes no time when nothing changed', async () => {
    const environment = { SLUICE_RTMP_PORT: '0', SLUICE_HTTP_PORT: '0', SLUICE_SHUTDOWN_SECONDS: '1' };
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
