import { messageOf } from '@sluice/core';
import { h264TrackConfig, micros } from '@sluice/media';
import type { Page } from 'playwright-core';
import { AUDIO_TRACK, type Capture, type CaptureOptions, nowMicros, VIDEO_TRACK } from '../capture.js';
import { CaptureError } from '../capture-error.js';
import { peakOf } from '../sound-level.js';
import { SoundTrack } from '../sound-track.js';
import { ControllerServer } from './controller-server.js';
import { type CaptureFrame, readFrame } from './frame-protocol.js';
import { PageClock } from './page-clock.js';

const MIN_FPS = 10;
const KEYFRAME_SECONDS = 2;
/** A title that no tab has makes getDisplayMedia wait for ever. */
const START_MS = 15_000;
/** Sound may be so late before silence takes its place. */
const SOUND_LATE_MICROS = 500_000;

/**
 * Captures a tab of a browser from inside it: a second tab takes the first one's picture and sound, encodes the picture
 * by WebCodecs and sends both over a WebSocket of the loopback address.
 */
export class TabCapture implements Capture {
  readonly #options: CaptureOptions;
  readonly #clock = new PageClock();
  readonly #epoch: number;
  readonly #sound: SoundTrack;
  #server: ControllerServer | undefined;
  #controller: Page | undefined;
  #tab: Page | undefined;
  #lastPicture = -1;
  #hasConfig = false;
  #isClosed = false;

  private constructor(options: CaptureOptions) {
    this.#options = options;
    this.#epoch = options.epoch ?? nowMicros();
    const { ffmpeg, profile, onEvent, log } = options;
    this.#sound = new SoundTrack({
      ffmpeg,
      track: AUDIO_TRACK,
      bitsPerSecond: profile.audioKbps * 1000,
      onConfig: (config) => onEvent({ type: 'config', config }),
      onSample: (sample) => onEvent({ type: 'sample', sample }),
      onTrouble: (reason) => log.warn({ reason }, 'the encoder of the sound is begun anew'),
      onLost: (reason) => this.#lose(`the encoder of the sound ends again and again: ${reason}`),
    });
  }

  /**
   * Opens a tab and captures it, empty as it is at first: whatever it is led to later is captured as well.
   *
   * @throws {CaptureError} `no-encoder`, or `browser-failed` where it does not begin in time
   */
  static async start(options: CaptureOptions): Promise<TabCapture> {
    const capture = new TabCapture(options);
    try {
      await capture.#start();
    } catch (error) {
      await capture.close();
      throw error;
    }
    return capture;
  }

  /** The tab that is captured. */
  get tab(): Page {
    if (this.#tab === undefined) throw new CaptureError('browser-failed', 'the capture has no tab');
    return this.#tab;
  }

  /** Of the ffmpeg that encodes the sound. */
  get encoderPid(): number | undefined {
    return this.#sound.encoderPid;
  }

  /** Closes both tabs; the browser stays. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sound.close();
    await Promise.allSettled([this.#controller?.close(), this.#tab?.close()]);
    await this.#server?.close();
  }

  async #start(): Promise<void> {
    const { browser, profile } = this.#options;
    const server = await ControllerServer.start({
      tabTitle: browser.tabTitle,
      onFrame: (bytes) => this.#receive(bytes),
    });
    this.#server = server;
    this.#tab = await browser.newPage();
    this.#controller = await browser.newPage();
    this.#controller.on('crash', () => this.#lose('the controller tab crashed'));
    await inTime(
      Promise.all([this.#tab.goto(server.tabUrl), this.#controller.goto(server.controllerUrl)]),
      START_MS,
    ).catch(() => {
      // The driver's words for it hold the address, and with it the key.
      throw new CaptureError('browser-failed', "the browser doesn't open the pages of the capture");
    });
    const { width, height, fps } = profile;
    const options = {
      ...{ width, height, fps, minFps: Math.min(MIN_FPS, fps), keyframeSeconds: KEYFRAME_SECONDS },
      ...{ bitsPerSecond: profile.videoKbps * 1000, codecs: codecsFor(width, height, fps) },
    };
    const begun = this.#controller.evaluate(`globalThis.sluiceCapture(${JSON.stringify(options)})`);
    await inTime(begun, START_MS).catch((error: unknown) => {
      const reason = messageOf(error);
      const code = reason.includes('no-encoder') ? 'no-encoder' : 'browser-failed';
      throw new CaptureError(code, `the tab can't be captured: ${reason}`);
    });
  }

  #receive(bytes: Buffer): void {
    if (this.#isClosed) return;
    try {
      this.#take(readFrame(bytes));
    } catch (error) {
      this.#lose(`the controller tab sent what can't be read: ${messageOf(error)}`);
    }
  }

  #take(frame: CaptureFrame): void {
    const { onEvent } = this.#options;
    const now = nowMicros();
    switch (frame.type) {
      case 'clock':
        this.#clock.heard(frame.time, now);
        break;
      case 'config':
        this.#hasConfig = true;
        onEvent({ type: 'config', config: h264TrackConfig(VIDEO_TRACK, frame.record) });
        break;
      case 'picture':
        this.#picture(frame, now);
        break;
      case 'sound': {
        onEvent({ type: 'level', peak: peakOf(frame.pcm) });
        const time = this.#clock.soundTime(frame.time);
        if (time !== undefined) this.#sound.write(time - this.#epoch, frame.sampleRate, frame.pcm);
        break;
      }
      case 'look':
        onEvent(frame);
        break;
      case 'ended':
        this.#lose(frame.reason);
    }
  }

  #picture(frame: Extract<CaptureFrame, { type: 'picture' }>, now: number): void {
    const time = Math.round(this.#clock.pictureTime(frame.time, now) - this.#epoch);
    if (!this.#hasConfig || time < 0 || time <= this.#lastPicture) return;
    this.#lastPicture = time;
    this.#sound.fillUntil(time - SOUND_LATE_MICROS);
    const { keyframe, data } = frame;
    const sample = { track: VIDEO_TRACK, kind: 'video', dts: micros(time), pts: micros(time), keyframe, data } as const;
    this.#options.onEvent({ type: 'sample', sample });
  }

  #lose(reason: string): void {
    if (!this.#isClosed) this.#options.onEvent({ type: 'lost', reason });
  }
}

/** High, main and baseline at the lowest level that holds the size and rate. H.264 table A-1. */
export function codecsFor(width: number, height: number, fps: number): string[] {
  const macroblocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const level = macroblocks <= 3600 && macroblocks * fps <= 108_000 ? '1f' : '28';
  return ['6400', '4d00', '4200'].map((profile) => `avc1.${profile}${level}`);
}

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not begin in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
