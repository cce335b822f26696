import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import type { Readable } from 'node:stream';
import { messageOf } from '../errors.js';
import { type FfmpegLine, type FfmpegProgress, ffmpegLine, Lines, ProgressReader } from './ffmpeg-output.js';

/** ffmpeg on this machine, and what one of it may take. */
export interface FfmpegProgram {
  readonly file: string;
  /** The program that limits memory; undefined where there is none (util-linux has it). */
  readonly prlimit: string | undefined;
}

export interface FfmpegLimits {
  /** 0 to 19. */
  readonly nice: number;
  readonly memoryMb: number;
}

export interface FfmpegProcessOptions {
  readonly program: FfmpegProgram;
  readonly limits: FfmpegLimits;
  readonly args: readonly string[];
  /** How many pipes there are from file descriptor 3 on. */
  readonly outputs: number;
  readonly onOutput: (output: number, bytes: Buffer) => void;
  readonly onProgress: (progress: FfmpegProgress) => void;
  readonly onLine: (line: FfmpegLine) => void;
  /** Once, unless it was ended by `kill`. */
  readonly onEnd: (reason: string) => void;
}

/** CPU seconds are counted in these, since ever: USER_HZ. */
const TICKS_PER_SECOND = 100;
/** Of `/proc/[pid]/stat` behind the name: utime and stime. */
const [UTIME, STIME] = [11, 12];

/** One run of ffmpeg: media in by stdin, media out by further pipes, with limits on what it takes. */
export class FfmpegProcess {
  readonly #child: ChildProcess;
  #over = false;

  constructor({ program, limits, args, outputs, ...on }: FfmpegProcessOptions) {
    const { file, front } = limited(program, limits);
    const pipes = Array.from({ length: 3 + outputs }, () => 'pipe' as const);
    const child = spawn(file, [...front, ...args], { stdio: pipes, env: {} });
    this.#child = child;
    const ended = (reason: string): void => {
      if (this.#over) return;
      this.#over = true;
      on.onEnd(reason);
    };
    child.once('error', (error) => ended(messageOf(error)));
    child.once('close', (code, signal) => ended(`ffmpeg ended with ${signal ?? code}`));
    // They may end while they are used; the exit says so.
    for (const pipe of child.stdio) pipe?.on('error', () => undefined);
    const [, progress, log, ...media] = child.stdio as (Readable | null)[];
    const reader = new ProgressReader();
    progress?.on('data', (bytes: Buffer) => {
      const newest = reader.push(bytes);
      if (newest !== undefined && !this.#over) on.onProgress(newest);
    });
    const lines = new Lines();
    log?.on('data', (bytes: Buffer) => {
      for (const line of lines.push(bytes)) if (line.trim() !== '') on.onLine(ffmpegLine(line));
    });
    media.forEach((pipe, output) => {
      pipe?.on('data', (bytes: Buffer) => {
        if (!this.#over) on.onOutput(output, bytes);
      });
    });
    standBack(child.pid, limits.nice);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Bytes that it has not read yet. */
  get waiting(): number {
    return this.#child.stdin?.writableLength ?? 0;
  }

  write(bytes: Buffer): void {
    if (!this.#over) this.#child.stdin?.write(bytes);
  }

  /** Nothing comes any more: it ends when it has given what it holds. */
  end(): void {
    this.#child.stdin?.end();
  }

  /** CPU time so far in seconds; undefined where the system doesn't tell. */
  async cpuSeconds(): Promise<number | undefined> {
    try {
      const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[UTIME]) + Number(fields[STIME]);
      return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : undefined;
    } catch {
      // No such file: another system, or it has just ended.
      return undefined;
    }
  }

  /** Ends it at once. Nothing is said of it any more. */
  kill(): void {
    this.#over = true;
    this.#child.kill('SIGKILL');
  }
}

/** The program to start and what comes before ffmpeg's own arguments, so that it can't take more memory than it may. */
export function limited(
  { file, prlimit }: FfmpegProgram,
  { memoryMb }: FfmpegLimits,
): { file: string; front: string[] } {
  if (prlimit === undefined) return { file, front: [] };
  return { file: prlimit, front: [`--data=${memoryMb * 1024 * 1024}`, file] };
}

/** Lets others go first. @param pid undefined where a process could not be started */
export function standBack(pid: number | undefined, nice: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, nice);
  } catch {
    // It has ended already, which is told by itself.
  }
}
