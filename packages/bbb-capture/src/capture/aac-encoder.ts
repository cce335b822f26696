import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '@sluice/core';
import { AdtsReader } from './adts-reader.js';

export interface AacEncoderOptions {
  /** ffmpeg's file. */
  readonly ffmpeg: string;
  readonly sampleRate: number;
  readonly bitsPerSecond: number;
  /** @param index of the frame, from 0: each holds 1024 samples */
  readonly onFrame: (frame: Buffer, index: number) => void;
  /** Once, unless it was closed. */
  readonly onEnd: (reason: string) => void;
}

/** AAC LC, ISO 14496-3 table 1.17. */
export const AAC_OBJECT_TYPE_LC = 2;
/** Samples of a frame. */
export const AAC_SAMPLES = 1024;
/** Frames of AAC that ffmpeg's encoder puts before the sound: it looks ahead by as much. */
export const AAC_PRIMING_FRAMES = 1;
/** Sound that ffmpeg doesn't take: two seconds of it. */
const MOST_WAITING_BYTES = 2 * 48_000 * 8;
const TEXT_KEPT = 500;

/** Encodes stereo sound of 32-bit floats by an ffmpeg of its own: by pipes alone, with an empty environment. */
export class AacEncoder {
  readonly #child: ChildProcess;
  #isOver = false;

  constructor({ ffmpeg, sampleRate, bitsPerSecond, onFrame, onEnd }: AacEncoderOptions) {
    const input = ['-probesize', '32', '-f', 'f32le', '-ar', String(sampleRate), '-ac', '2', '-i', 'pipe:0'];
    const output = ['-c:a', 'aac', '-b:a', String(bitsPerSecond), '-f', 'adts', '-flush_packets', '1', 'pipe:1'];
    const args = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-threads', '1', ...input, ...output];
    const child = spawn(ffmpeg, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
    this.#child = child;
    let said = '';
    const ended = (reason: string) => {
      if (this.#isOver) return;
      this.#isOver = true;
      onEnd(`${reason}${said === '' ? '' : `: ${said.trim()}`}`);
    };
    child.once('error', (error) => ended(messageOf(error)));
    child.once('exit', (code, signal) => ended(`ffmpeg ended with ${signal ?? code}`));
    // It may end while it is written to; its exit says so.
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-TEXT_KEPT);
    });
    const reader = new AdtsReader();
    let index = 0;
    child.stdout.on('data', (bytes: Buffer) => {
      if (this.#isOver) return;
      try {
        for (const frame of reader.push(bytes)) onFrame(frame, index++);
      } catch (error) {
        ended(messageOf(error));
        child.kill('SIGKILL');
      }
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @returns false where ffmpeg is so late that the sound was left out: it has to begin anew */
  write(pcm: Buffer): boolean {
    const { stdin } = this.#child;
    if (stdin === null || stdin.writableLength > MOST_WAITING_BYTES) return false;
    stdin.write(pcm);
    return true;
  }

  /** Ends it at once. Nothing comes of it any more. */
  close(): void {
    this.#isOver = true;
    this.#child.kill('SIGKILL');
  }
}
