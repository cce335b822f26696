import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram, messageOf } from '@sluice/core';
import { CaptureError } from '../capture-error.js';

const START_MS = 10_000;
const POLL_MS = 50;
const COOKIE_BYTES = 16;
const COOKIE_NAME = 'MIT-MAGIC-COOKIE-1';
/** Any host and any display: Xsecurity, FamilyWild. */
const ANY_FAMILY = 0xffff;
/** The sound of the browser goes into it, and out of its monitor. */
const SINK = 'capture';
const DISPLAY_FD = 3;
const TEXT_KEPT = 300;

/** A screen and a sound device that only one capture has: Xvfb and PulseAudio, reached by files in a private folder. */
export class VirtualDisplay {
  /** What ffmpeg records the sound from. */
  readonly soundSource = `${SINK}.monitor`;
  /** Environment of those who use it; there is nothing else in it that is ours. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #children: readonly ChildProcess[];
  readonly #folder: string;

  private constructor(folder: string, number: string, children: readonly ChildProcess[]) {
    this.#folder = folder;
    this.#children = children;
    this.environment = {
      DISPLAY: `:${number}`,
      XAUTHORITY: join(folder, 'xauthority'),
      PULSE_SERVER: `unix:${join(folder, 'pulse.sock')}`,
    };
  }

  /** Whether the programs are there that it is made of. */
  static isPossible(environment: Readonly<Record<string, string | undefined>>): boolean {
    return ['Xvfb', 'pulseaudio'].every((name) => findProgram(name, environment) !== undefined);
  }

  /** @throws {CaptureError} `browser-failed` where Xvfb or PulseAudio is missing or does not start */
  static async start({ width, height }: { width: number; height: number }): Promise<VirtualDisplay> {
    const [xvfb, pulseaudio] = [programOf('Xvfb', 'xvfb'), programOf('pulseaudio', 'pulseaudio')];
    // For this user alone, as mkdtemp makes it: who reaches its files could watch and listen.
    const folder = await mkdtemp(join(tmpdir(), 'sluice-display-'));
    const children: ChildProcess[] = [];
    try {
      const authority = join(folder, 'xauthority');
      await writeFile(authority, cookieFile(randomBytes(COOKIE_BYTES)), { mode: 0o600 });
      const environment = { HOME: folder, XDG_RUNTIME_DIR: folder, PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' };
      const screen = ['-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-auth', authority, '-nocursor'];
      const display = spawnBound(xvfb, ['-displayfd', String(DISPLAY_FD), ...screen], {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
        env: environment,
      });
      children.push(display);
      const socket = join(folder, 'pulse.sock');
      const modules = [
        ...['-L', `module-native-protocol-unix socket=${socket} auth-cookie-enabled=0`],
        ...['-L', `module-null-sink sink_name=${SINK} rate=48000 channels=2`],
      ];
      const daemon = ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disallow-exit'];
      const sound = spawnBound(pulseaudio, [...daemon, '--log-target=stderr', '--log-level=error', ...modules], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: environment,
      });
      children.push(sound);
      const number = await Promise.race([displayNumber(display), failureOf(display, 'Xvfb'), tooLate('Xvfb')]);
      await Promise.race([reachable(socket), failureOf(sound, 'PulseAudio')]);
      return new VirtualDisplay(folder, number, children);
    } catch (error) {
      await end(children, folder);
      throw error instanceof CaptureError ? error : new CaptureError('browser-failed', messageOf(error));
    }
  }

  /** Ends both and removes their folder. */
  async close(): Promise<void> {
    await end(this.#children, this.#folder);
  }
}

/**
 * Starts a program that ends with this process, also where that is killed: neither Xvfb nor PulseAudio notices by itself.
 * `setpriv` is of util-linux; without it they are left behind by a process that is killed.
 */
function spawnBound(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const setpriv = findProgram('setpriv', process.env);
  if (setpriv === undefined) return spawn(program, args, options);
  return spawn(setpriv, ['--pdeathsig', 'KILL', '--', program, ...args], options);
}

function programOf(name: string, debianPackage: string): string {
  const found = findProgram(name, process.env);
  if (found !== undefined) return found;
  const advice = `install the package ${debianPackage}, or capture by the method tab`;
  throw new CaptureError('browser-failed', `a capture of a display needs ${name}, which is not on the PATH: ${advice}`);
}

/** An Xauthority file with one cookie, for any display: family, address, number, name and data, each with its length. */
function cookieFile(cookie: Buffer): Buffer {
  const field = (bytes: Buffer) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const family = Buffer.alloc(2);
  family.writeUInt16BE(ANY_FAMILY);
  const nothing = field(Buffer.alloc(0));
  return Buffer.concat([family, nothing, nothing, field(Buffer.from(COOKIE_NAME)), field(cookie)]);
}

/** Xvfb takes the first free display and writes its number when it is ready. */
async function displayNumber(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const bytes of child.stdio[DISPLAY_FD] as Readable) {
    text += String(bytes);
    if (text.includes('\n')) return text.trim();
  }
  throw new CaptureError('browser-failed', 'Xvfb does not tell its display');
}

async function reachable(socket: string): Promise<void> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const client = connect(socket);
    try {
      await once(client, 'connect');
      return;
    } catch {
      // Not yet; the deadline tells when it is too late.
      if (performance.now() > deadline) break;
      await pause(POLL_MS);
    } finally {
      client.destroy();
    }
  }
  throw new CaptureError('browser-failed', `PulseAudio is not there after ${START_MS} ms`);
}

function failureOf(child: ChildProcess, name: string): Promise<never> {
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-TEXT_KEPT);
  });
  const failed = (why: string) => new CaptureError('browser-failed', `${name} does not start: ${why} ${said.trim()}`);
  return new Promise((_, reject) => {
    child.once('error', (error) => reject(failed(error.message)));
    child.once('exit', (code, signal) => reject(failed(`it ended with ${signal ?? code}`)));
  });
}

async function tooLate(name: string): Promise<never> {
  await pause(START_MS, undefined, { ref: false });
  throw new CaptureError('browser-failed', `${name} is not there after ${START_MS} ms`);
}

async function end(children: readonly ChildProcess[], folder: string): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      // Neither keeps anything that would have to be written down.
      child.kill('SIGKILL');
      await exited;
    }),
  );
  await rm(folder, { recursive: true, force: true });
}
