import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { growingPause, messageOf } from '@sluice/core';
import { FlvDemuxer, micros, type Sample } from '@sluice/media';
import type { Page } from 'playwright-core';
import { type Capture, type CaptureOptions, nowMicros } from '../capture.js';
import { CaptureError } from '../capture-error.js';
import { grabArguments } from './grab-arguments.js';
import { LumaLooks } from './luma-look.js';
import type { VirtualDisplay } from './virtual-display.js';

const PAUSES = { firstMs: 300, longestMs: 5000 } as const;
const MOST_FAILURES = 5;
const TEXT_KEPT = 300;
const [FLV_FD, LOOK_FD, LEVEL_FD] = [1, 3, 4];

/**
 * Captures the screen and the sound device of a browser that has them to itself, by an ffmpeg, which is begun anew when
 * it ends by itself. It costs more than a capture inside the browser, and leaves out fewer pictures of 1080p.
 */
export class DisplayCapture implements Capture {
  readonly tab: Page;
  readonly #display: VirtualDisplay;
  readonly #options: CaptureOptions;
  readonly #epoch: number;
  readonly #last = new Map<number, number>();
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isClosed = false;

  private constructor(tab: Page, display: VirtualDisplay, options: CaptureOptions) {
    this.tab = tab;
    this.#display = display;
    this.#options = options;
    this.#epoch = options.epoch ?? nowMicros();
  }

  /** @throws {CaptureError} `browser-failed` where the browser has no display of its own */
  static async start(options: CaptureOptions): Promise<DisplayCapture> {
    const { display } = options.browser;
    if (display === undefined) {
      throw new CaptureError(
        'browser-failed',
        'the browser was started without a display; launch it with method display',
      );
    }
    const capture = new DisplayCapture(await options.browser.screenPage(), display, options);
    capture.#start();
    return capture;
  }

  get encoderPid(): number | undefined {
    return this.#child?.pid;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
    // The last tab of a browser ends it; the next capture takes the same one.
    await this.tab.goto('about:blank').catch((error: unknown) => {
      this.#options.log.debug({ error: messageOf(error) }, 'the tab is gone');
    });
  }

  #start(): void {
    const { ffmpeg, profile } = this.#options;
    const { environment, soundSource } = this.#display;
    const originSeconds = Math.floor(Date.now() / 1000) - 10;
    // From the wall clock, which ffmpeg goes by, to the monotonic one.
    const offset = originSeconds * 1_000_000 + nowMicros() - Date.now() * 1000 - this.#epoch;
    const args = grabArguments({ profile, display: environment.DISPLAY ?? '', soundSource, originSeconds });
    const stdio = ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] as const;
    const child = spawn(ffmpeg, args, { stdio: [...stdio], env: environment });
    this.#child = child;
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-TEXT_KEPT);
    });
    child.once('error', (error) => this.#ended(child, messageOf(error)));
    child.once('exit', (code, signal) => this.#ended(child, `ffmpeg ended with ${signal ?? code}: ${said.trim()}`));
    const demuxer = new FlvDemuxer();
    this.#read(child, FLV_FD, (bytes) => {
      for (const event of demuxer.push(bytes)) {
        if (event.type === 'config') this.#options.onEvent(event);
        else if (event.type === 'sample') this.#sample(event.sample, offset);
      }
    });
    const looks = new LumaLooks();
    this.#read(child, LOOK_FD, (bytes) => {
      for (const look of looks.push(bytes)) this.#options.onEvent({ type: 'look', ...look, skipped: 0 });
    });
    this.#read(child, LEVEL_FD, (bytes) => this.#options.onEvent({ type: 'level', peak: peakOf16(bytes) }));
  }

  #read(child: ChildProcess, descriptor: number, take: (bytes: Buffer) => void): void {
    const pipe = child.stdio[descriptor] as Readable;
    pipe.on('data', (bytes: Buffer) => {
      if (this.#isClosed || this.#child !== child) return;
      try {
        take(bytes);
      } catch (error) {
        this.#ended(child, messageOf(error));
        child.kill('SIGKILL');
      }
    });
  }

  #sample(sample: Sample, offset: number): void {
    const time = Math.max(sample.dts + offset, (this.#last.get(sample.track) ?? -1) + 1);
    if (time < 0) return;
    this.#last.set(sample.track, time);
    this.#failures = 0;
    this.#options.onEvent({ type: 'sample', sample: { ...sample, dts: micros(time), pts: micros(time) } });
  }

  #ended(child: ChildProcess, reason: string): void {
    if (this.#isClosed || this.#child !== child) return;
    this.#child = undefined;
    this.#failures += 1;
    const { log, onEvent } = this.#options;
    if (this.#failures > MOST_FAILURES) {
      onEvent({ type: 'lost', reason });
      return;
    }
    const retryMs = growingPause(this.#failures, PAUSES);
    log.warn({ reason, retryMs }, 'the capture of the display is begun anew');
    this.#timer = setTimeout(() => this.#start(), retryMs);
  }
}

/** The loudest sample of 16 bits, little-endian: 0 to 1. */
function peakOf16(pcm: Buffer): number {
  let peak = 0;
  for (let at = 0; at + 2 <= pcm.length; at += 2) peak = Math.max(peak, Math.abs(pcm.readInt16LE(at)));
  return peak / 32_768;
}
