import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '@sluice/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exited } from './support/publisher.js';
import { until } from './support/until.js';

const MAIN = fileURLToPath(new URL('../packages/server/dist/main.js', import.meta.url));

const FREE_PORTS = {
  SLUICE_RTMP_PORT: '0',
  SLUICE_HTTP_PORT: '0',
  SLUICE_SRT_PORT: '0',
  SLUICE_WEBRTC_PORT: '0',
  SLUICE_API_PORT: '0',
  SLUICE_SHUTDOWN_SECONDS: '1',
};

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command to its end. */
function sluice(args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { ...process.env, SLUICE_API_PORT: '0', SLUICE_SRT_PORT: '0', SLUICE_WEBRTC_PORT: '0', ...environment } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
    child.stdin?.end();
  });
}

describe('the sluice command', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const configFile = async (text: string): Promise<string> => {
    const path = join(directory, 'sluice.yml');
    await writeFile(path, text);
    return path;
  };

  it('prints its version', async () => {
    expect(await sluice(['version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
    expect((await sluice(['--version'])).stdout).toBe(`${VERSION}\n`);
  });

  it('helps, and suggests what was meant', async () => {
    expect((await sluice(['--help'])).stdout).toMatch(/serve .*run the server/);
    const wrong = await sluice(['serv']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/serve/);
  });

  it.each([
    ['rtmp: { prot: 1935 }', /rtmp\.prot: no such key; allowed here: port, host/],
    ['rtmp: { port: 99999 }', /rtmp\.port: 99999 is not valid; allowed: whole number, 0 to 65535/],
    ['publish: { takeover: maybe }', /publish\.takeover: "maybe" is not valid; allowed: replace, refuse/],
    ['paths: { "live/*": { publish: { grace: 3 } } }', /paths\.live\/\*\.publish\.grace: no such key/],
    ['rtmp: [', /sluice\.yml can't be used/],
    ['just text', /must hold keys and values/],
    ['tls: { certFile: a.pem }', /certFile and keyFile go together/],
  ])('names what is wrong about %s', async (text, message) => {
    const outcome = await sluice(['check-config', '--config', await configFile(text)]);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stderr).not.toMatch(/at .*\.js:\d+/);
  });

  it('takes the environment over the file, and names a variable that is wrong', async () => {
    const file = await configFile('rtmp: { port: 1 }\nhls: { segmentSeconds: 4 }');
    const good = await sluice(['check-config', '--print', '-c', file], { SLUICE_RTMP_PORT: '2935' });
    expect(good.stdout).toMatch(/port: 2935/);
    expect(good.stdout).toMatch(/segmentSeconds: 4/);
    const wrong = await sluice(['check-config', '-c', file], { SLUICE_RTMP_PORT: 'many' });
    expect(wrong.stderr).toMatch(/rtmp\.port \(from SLUICE_RTMP_PORT\): "many" is not valid/);
    const unknown = await sluice(['check-config', '-c', file], { SLUICE_RTMP_PROT: '1' });
    expect(unknown.stderr).toMatch(/SLUICE_RTMP_PROT: no such setting/);
    expect((await sluice(['check-config', '-c', join(directory, 'none.yml')])).stderr).toMatch(/can't be read/);
  });

  it('says which port is taken and how to get around it, with exit code 2', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const environment = {
      SLUICE_RTMP_PORT: String(port),
      SLUICE_RTMP_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_DATA_DIR: join(directory, 'taken'),
    };
    const outcome = await sluice(['serve'], environment);
    taken.close();
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toBe(
      `sluice: rtmp.port ${port} is taken by another program. End it, or set another port: SLUICE_RTMP_PORT=…\n`,
    );
  });

  it('serves the demo, lists its URLs, and stops cleanly on SIGTERM', async () => {
    const environment = { ...FREE_PORTS, SLUICE_DATA_DIR: join(directory, 'demo') };
    const child: ChildProcess = spawn(process.execPath, [MAIN, 'serve', '--demo'], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    await until('it lists its URLs', () => /HLS +http/.test(output));
    const page = /Start page +(\S+)/.exec(output)?.[1] ?? '';
    const { streams } = (await (await fetch(`${page}status/streams`)).json()) as { streams: { path: string }[] };
    expect(streams).toMatchObject([{ path: 'live/demo', state: 'live' }]);
    child.kill('SIGTERM');
    expect(await exited(child)).toBe(0);
    expect(output).toMatch(/"msg":"stopped"/);
  });

  it('takes up a changed file on SIGHUP, without an end to anything', async () => {
    const config = await configFile('hls: { segments: 4 }');
    const data = join(directory, 'hup');
    const child = spawn(process.execPath, [MAIN, 'serve', '--demo', '-c', config], {
      env: { ...process.env, ...FREE_PORTS, SLUICE_DATA_DIR: data, SLUICE_LOG_FORMAT: 'json' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await until('it lists its URLs', () => /HLS +http/.test(output));
    await configFile('hls: { segments: 5 }\nrtmp: { chunkSize: 4096 }');
    child.kill('SIGHUP');
    await until('it says what has changed', () =>
      output.includes('"applied":["hls.segments"],"needRestart":["rtmp.chunkSize"]'),
    );
    await configFile('hls: { segments: many }');
    child.kill('SIGHUP');
    await until('it says what is wrong', () => /"detail":"[^"]*hls\.segments/.test(output));
    expect(output).not.toMatch(/stream ended|session closed/);
    child.kill('SIGTERM');
    expect(await exited(child)).toBe(0);
  });

  it('makes tokens with the secret of a server that has run, and says what is wrong with what it is asked for', async () => {
    const data = { SLUICE_DATA_DIR: join(directory, 'demo') };
    expect(await sluice(['token', 'live/*', '--valid', '90s'], data)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\?sign=[\w-]+\.[\w-]+\n$/),
    });
    for (const [args, message] of [
      [['token', 'live'], /live is no stream path/],
      [['token', 'live/show', '--valid', 'soon'], /--valid soon is no duration/],
      [['token', 'live/show', '--ip', 'home'], /--ip home is no address/],
      [['token', 'live/show', '--kind', 'jwt'], /auth\.jwt\.secret is not set/],
      [['token', 'live/show', '--kind', 'cookie'], /Allowed choices are sign, jwt, wms-auth/],
    ] as const) {
      const wrong = await sluice(args, data);
      expect([wrong.code, wrong.stdout], args.join(' ')).toEqual([2, '']);
      expect(wrong.stderr).toMatch(message);
    }
    const none = await sluice(['token', 'live/show'], { SLUICE_DATA_DIR: join(directory, 'none') });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('SLUICE_AUTH_SIGNING_SECRET')]);
  });

  it('sets a password anew while the server is stopped', async () => {
    const data = { SLUICE_DATA_DIR: join(directory, 'demo') };
    const made = await sluice(['set-password', 'ADMIN'], data);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[a-z0-9]{20}\n$/) });
    expect((await sluice(['set-password', 'nobody'], data)).stderr).toMatch(/no user nobody; there is: admin/);
  });
});
