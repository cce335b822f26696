import { type CaptureFailure, type CaptureProfile, type Logger, messageOf } from '@sluice/core';
import type { Micros, Sample, TrackConfig } from '@sluice/media';
import { BbbError } from '../api/errors.js';
import type { SecretUrl } from '../api/secret-url.js';
import { CaptureBrowser, newMarker } from '../browser/browser.js';
import { type Generation, type MeetingSession, openMeeting, type SessionEvent } from '../browser/meeting-session.js';
import { CaptureError } from '../capture/capture-error.js';
import type { StayNews } from './capture-input.js';
import { CpuMeter, memoryOf, processTree, ticksOf } from './process-tree.js';

export interface StayOptions {
  /** Makes the link in; it is asked once. */
  readonly link: (signal: AbortSignal) => Promise<SecretUrl>;
  readonly profile: CaptureProfile;
  /** Chromium's file. */
  readonly browser: string;
  /** ffmpeg's. */
  readonly ffmpeg: string;
  /** Where times of samples count from, `process.hrtime` in microseconds. */
  readonly epoch: Micros;
  readonly log: Logger;
  readonly onNews: (news: StayNews) => void;
  readonly onConfig: (config: TrackConfig) => void;
  readonly onSample: (sample: Sample) => void;
  readonly onGeneration: (generation: Generation) => void;
  /** How long the browser may take to end before it is killed. */
  readonly closeMs?: number;
}

const CLOSE_MS = 8000;
/** For what is left to be tidied up, once it is dead. */
const AFTERWARDS_MS = 2000;

/** One browser in one meeting, from its start until nothing of it is left. */
export class BrowserStay {
  readonly #options: StayOptions;
  readonly #closing = new AbortController();
  readonly #marker = newMarker();
  readonly #cpuMeter = new CpuMeter();
  readonly #opened: Promise<void>;
  #browser: CaptureBrowser | undefined;
  #session: MeetingSession | undefined;
  #isClosed = false;

  constructor(options: StayOptions) {
    this.#options = options;
    this.#opened = this.#open().catch((error: unknown) => this.#failed(error));
  }

  /** What the browser, its children and the encoder take: bytes, and processors since the last time it was asked. */
  async usage(): Promise<{ bytes: number; cpus: number | undefined }> {
    const encoder = this.#session?.encoderPid;
    const pids = [...(await processTree(this.#marker)), ...(encoder === undefined ? [] : [encoder])];
    const [bytes, ticks] = await Promise.all([memoryOf(pids), ticksOf(pids)]);
    return { bytes, cpus: this.#cpuMeter.look(ticks, performance.now()) };
  }

  /** Writes into the public chat by the client. @returns whether that worked */
  async say(text: string): Promise<boolean> {
    return (await this.#session?.say(text)) ?? false;
  }

  /** Leaves and ends everything, also while it is opening or hangs. `closed` is told in any case, and in time. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closing.abort();
    const { closeMs = CLOSE_MS, log, onNews } = this.#options;
    const closed = this.#end();
    if ((await inTime(closed, closeMs)) === 'late') {
      await this.#kill();
      if ((await inTime(closed, AFTERWARDS_MS)) === 'late') {
        log.error({}, 'a browser was killed, and its folder may be left');
      }
    }
    onNews({ kind: 'closed' });
  }

  async #end(): Promise<void> {
    // What is still opening ends with its browser.
    await Promise.allSettled([this.#browser?.close(), this.#session?.close()]);
    await this.#opened;
    await Promise.allSettled([this.#session?.close(), this.#browser?.close()]);
  }

  async #open(): Promise<void> {
    const { link, profile, browser: executable, ffmpeg, epoch, log } = this.#options;
    const { signal } = this.#closing;
    const url = await link(signal);
    if (signal.aborted) return;
    this.#tell({ kind: 'step', step: 'starts the browser' });
    const onGone = (reason: string) => this.#fail('browser-failed', reason);
    this.#browser = await CaptureBrowser.launch({ executable, profile, log, onGone, marker: this.#marker });
    if (signal.aborted) return;
    this.#session = await openMeeting({
      ...{ browser: this.#browser, link: url, profile, ffmpeg, log, epoch },
      lobbyMs: profile.waitSeconds * 1000,
      onEvent: (event) => this.#took(event),
    });
  }

  #took(event: SessionEvent): void {
    switch (event.type) {
      case 'config':
        this.#options.onConfig(event.config);
        break;
      case 'sample':
        this.#options.onSample(event.sample);
        break;
      case 'step':
        this.#tell(event.step === 'wait in the lobby' ? { kind: 'lobby' } : { kind: 'step', step: event.step });
        break;
      case 'in-meeting':
        if (event.generation !== undefined) this.#options.onGeneration(event.generation);
        break;
      case 'heard':
        this.#tell({ kind: 'live' });
        break;
      case 'trouble': {
        const { trouble, detail, isFault } = event;
        this.#tell({ kind: 'trouble', trouble, detail, isFault });
        break;
      }
      case 'recovered':
        this.#tell({ kind: 'well', trouble: event.trouble });
        break;
      case 'ended': {
        const { reason, detail } = event;
        if (reason === 'meeting-ended') this.#tell({ kind: 'meeting-ended' });
        else this.#fail(reason, detail);
      }
    }
  }

  #failed(error: unknown): void {
    this.#fail(failureOf(error), messageOf(error));
  }

  #fail(failure: CaptureFailure, detail: string): void {
    this.#tell({ kind: 'failed', failure, detail, hasBegun: this.#session !== undefined });
  }

  #tell(news: StayNews): void {
    if (!this.#closing.signal.aborted) this.#options.onNews(news);
  }

  async #kill(): Promise<void> {
    const pids = await processTree(this.#marker);
    this.#options.log.warn({ pids }, 'the browser does not end, and is killed');
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        this.#options.log.debug({ pid, error: messageOf(error) }, 'it has ended meanwhile');
      }
    }
  }
}

function failureOf(error: unknown): CaptureFailure {
  return error instanceof BbbError || error instanceof CaptureError ? error.code : 'browser-failed';
}

async function inTime(promise: Promise<unknown>, ms: number): Promise<'late' | 'done'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms);
  });
  try {
    return await Promise.race([promise.then((): 'done' => 'done'), late]);
  } finally {
    clearTimeout(timer);
  }
}
