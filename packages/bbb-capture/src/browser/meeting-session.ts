import { setTimeout } from 'node:timers/promises';
import { type CaptureFailure, type CaptureProfile, type CaptureTrouble, type Logger, messageOf } from '@sluice/core';
import type { Micros, Sample, TrackConfig } from '@sluice/media';
import { readAnswer } from '../api/answers.js';
import { refusalInUrl } from '../api/call.js';
import { BbbError } from '../api/errors.js';
import type { SecretUrl } from '../api/secret-url.js';
import type { Capture, CaptureEvent } from '../capture/capture.js';
import { CaptureError } from '../capture/capture-error.js';
import { DisplayCapture } from '../capture/display-capture/display-capture.js';
import { MediaWatch } from '../capture/media-watch.js';
import { TabCapture } from '../capture/tab-capture/tab-capture.js';
import type { CaptureBrowser } from './browser.js';
import { ClientPage } from './client-page.js';
import { type JoinStep, JoinSteps } from './join-steps.js';
import type { PageFacts } from './page-facts.js';

/** Which client a meeting has: `livekit` is 3.0 with that audio bridge, and 4.0. */
export type Generation = '2.x' | '3.0' | 'livekit';

/** What happens in a meeting that is captured. */
export type SessionEvent =
  /** What it is at on the way in; `selector` is what was clicked. */
  | { readonly type: 'step'; readonly step: string; readonly selector?: string }
  | { readonly type: 'in-meeting'; readonly generation: Generation | undefined }
  /** The meeting's sound is played. Samples come from now on. */
  | { readonly type: 'heard' }
  | { readonly type: 'config'; readonly config: TrackConfig }
  | { readonly type: 'sample'; readonly sample: Sample }
  /** Within 10 s. Where `isFault` is false, it may be meant so: a still slide, a silent room. */
  | {
      readonly type: 'trouble';
      readonly trouble: CaptureTrouble;
      readonly detail: string;
      readonly isFault: boolean;
    }
  | { readonly type: 'recovered'; readonly trouble: CaptureTrouble }
  /** Once, unless it was closed. */
  | { readonly type: 'ended'; readonly reason: 'meeting-ended' | CaptureFailure; readonly detail: string };

export interface MeetingOptions {
  readonly browser: CaptureBrowser;
  readonly link: SecretUrl;
  readonly profile: CaptureProfile;
  /** ffmpeg's file. */
  readonly ffmpeg: string;
  readonly log: Logger;
  readonly onEvent: (event: SessionEvent) => void;
  /** For all that is tried on the way in together; the lobby doesn't count. */
  readonly joinMs?: number;
  /** How long a moderator may leave it in the lobby. */
  readonly lobbyMs?: number;
  /** Where times of samples count from, `process.hrtime` in microseconds: the same one for a capture that joins anew. */
  readonly epoch?: Micros;
}

const JOIN_MS = 60_000;
const LOBBY_MS = 3_600_000;
const JOINING_PAUSE_MS = 300;
const PAUSE_MS = 1000;
/** A banner in the client: which of several it is only its words tell. */
const RECONNECTING = /connect|verb/i;

/**
 * Opens a meeting in a tab of its own, joins to listen, and gives its picture and sound from when it is heard.
 *
 * @throws {CaptureError} `no-encoder` or `browser-failed`, where the capture can't begin; the rest is told by `ended`
 */
export async function openMeeting(options: MeetingOptions): Promise<MeetingSession> {
  return MeetingSession.open(options);
}

/** A meeting that is captured. */
export class MeetingSession {
  readonly #options: MeetingOptions;
  readonly #watch = new MediaWatch(performance.now());
  readonly #closing = new AbortController();
  readonly #frames = new Map<string, number>();
  #steps = new JoinSteps();
  #capture: Capture | undefined;
  #page: ClientPage | undefined;
  #running: Promise<void> = Promise.resolve();
  #isIn = false;
  #isGiving = false;
  #isReconnecting = false;
  /** The chat is open for that, and stays so meanwhile. */
  #isSaying = false;
  #lastStep = '';
  #lost: string | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: MeetingOptions) {
    this.#options = options;
  }

  static async open(options: MeetingOptions): Promise<MeetingSession> {
    const session = new MeetingSession(options);
    const { browser, profile, ffmpeg, log, epoch } = options;
    const method = profile.method === 'display' ? DisplayCapture : TabCapture;
    session.#capture = await method.start({
      ...{ browser, profile, ffmpeg, log },
      ...(epoch === undefined ? {} : { epoch }),
      onEvent: (event) => session.#captured(event),
    });
    session.#page = new ClientPage(session.#capture.tab, { hidesParts: profile.hideChat, log });
    session.#running = session.#run(session.#page);
    return session;
  }

  /** Of the ffmpeg that encodes the sound. */
  get encoderPid(): number | undefined {
    return this.#capture?.encoderPid;
  }

  /**
   * Writes into the public chat by the client itself, which has to have a navigation bar: a link that hides it leaves
   * no way to the chat (`listenerUserdata`).
   *
   * @returns whether that worked; it is never fatal
   */
  async say(text: string): Promise<boolean> {
    if (!this.#isIn || this.#page === undefined) return false;
    this.#isSaying = true;
    try {
      return await this.#page.say(text);
    } finally {
      this.#isSaying = false;
    }
  }

  /** Leaves the meeting and closes its tab. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async #end(): Promise<void> {
    await this.#capture?.close();
    await this.#running;
  }

  async #run(page: ClientPage): Promise<void> {
    try {
      await this.#join(page);
      for (;;) {
        await this.#pause(PAUSE_MS);
        this.#look(page, await page.look());
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#isIn = false;
      this.#isGiving = false;
      this.#options.onEvent({ type: 'ended', reason: reasonOf(error), detail: messageOf(error) });
    }
  }

  async #join(page: ClientPage): Promise<void> {
    const { link, joinMs = JOIN_MS, lobbyMs = LOBBY_MS, log } = this.#options;
    this.#tell('open the link');
    const { status, text } = await page.open(link);
    this.#refused(page);
    if (text !== undefined) readAnswer('join', text);
    if (status >= 400) throw new CaptureError('bad-answer', `${link} is answered with HTTP ${status}`);
    let left = joinMs;
    let lobbyLeft = lobbyMs;
    for (;;) {
      const began = performance.now();
      const facts = await page.look();
      this.#refused(page);
      const step = facts === undefined ? undefined : this.#steps.next(facts, performance.now());
      if (step?.type === 'in' && facts !== undefined) return this.#entered(facts);
      if (step !== undefined) await this.#act(page, step);
      await this.#pause(JOINING_PAUSE_MS);
      const passed = performance.now() - began;
      if (step?.type === 'lobby') lobbyLeft -= passed;
      else left -= passed;
      if (lobbyLeft <= 0) throw new CaptureError('guest-denied', 'no moderator let it in from the lobby in time');
      if (left <= 0) {
        log.warn({ found: facts === undefined ? [] : [...facts.found.keys()] }, 'the meeting could not be joined');
        throw new CaptureError('not-heard', `the meeting was not heard in ${joinMs} ms; it was at: ${this.#lastStep}`);
      }
    }
  }

  #entered(facts: PageFacts): void {
    const { onEvent, log } = this.#options;
    const isNamed = facts.sounds.some((sound) => sound.isNamed);
    const generation = facts.generation === '3.0' && !isNamed ? 'livekit' : facts.generation;
    log.info({ generation }, 'in the meeting');
    this.#isIn = true;
    onEvent({ type: 'in-meeting', generation });
    onEvent({ type: 'heard' });
  }

  /** In the meeting, once a second. */
  #look(page: ClientPage, facts: PageFacts | undefined): void {
    const now = performance.now();
    const { onEvent, profile } = this.#options;
    this.#refused(page);
    if (facts !== undefined) {
      if (!page.isClient) throw new Out('meeting-ended', 'the client has gone to another page');
      const step = this.#steps.next(facts, now);
      this.#watch.page({ isHeard: step.type === 'in', moves: this.#moves(facts) }, now);
      this.#reconnecting(facts);
      const isTidying = step.type === 'in' && !this.#isSaying;
      const next = isTidying ? this.#steps.tidy(facts, profile.hideChat, now) : step;
      if (next !== undefined) this.#actLater(page, next);
    }
    for (const event of this.#watch.check(now)) onEvent(event);
  }

  /** A click may take a while, and the watch goes on meanwhile. */
  #actLater(page: ClientPage, step: JoinStep): void {
    const out = step.type === 'out' ? step : undefined;
    if (out !== undefined) throw new Out(out.reason, out.detail);
    this.#act(page, step).catch((error: unknown) => {
      this.#options.log.debug({ error: messageOf(error) }, 'a step in the meeting failed');
    });
  }

  async #act(page: ClientPage, step: JoinStep): Promise<void> {
    switch (step.type) {
      case 'out':
        throw new Out(step.reason, step.detail);
      case 'lobby':
        this.#tell('wait in the lobby');
        break;
      case 'wait':
        this.#tell(step.step);
        break;
      case 'click':
        this.#options.log.info({ step: step.step, selector: step.selector }, 'a part of the client is clicked');
        this.#tell(step.step, step.selector);
        await page.click(step.selector);
        break;
      case 'in':
    }
  }

  #tell(step: string, selector?: string): void {
    if (step === this.#lastStep && selector === undefined) return;
    this.#lastStep = step;
    this.#options.onEvent({ type: 'step', step, ...(selector === undefined ? {} : { selector }) });
  }

  /** BigBlueButton leads who may not come in to another page, and says why in its address. */
  #refused(page: ClientPage): void {
    const refusal = refusalInUrl(page.address);
    if (refusal !== undefined) throw refusal;
  }

  #reconnecting({ found }: PageFacts): void {
    const banner = found.get('reconnecting');
    const isReconnecting = banner !== undefined && RECONNECTING.test(banner.text);
    if (isReconnecting === this.#isReconnecting) return;
    this.#isReconnecting = isReconnecting;
    const trouble = 'reconnecting';
    this.#options.onEvent(
      isReconnecting
        ? { type: 'trouble', trouble, detail: banner.text, isFault: false }
        : { type: 'recovered', trouble },
    );
  }

  /** Whether a picture from elsewhere has gone on since the last look. */
  #moves({ videos }: PageFacts): boolean {
    const moves = videos.some(({ id, frames }) => frames > (this.#frames.get(id) ?? frames));
    this.#frames.clear();
    for (const { id, frames } of videos) this.#frames.set(id, frames);
    return moves;
  }

  #captured(event: CaptureEvent): void {
    const { onEvent, log } = this.#options;
    const now = performance.now();
    switch (event.type) {
      case 'config':
        onEvent(event);
        break;
      case 'sample':
        if (event.sample.kind === 'video') this.#watch.encoded(now);
        // From a keyframe on: what was before is of the way in.
        if (this.#isIn && event.sample.kind === 'video' && event.sample.keyframe) this.#isGiving = true;
        if (this.#isGiving) onEvent(event);
        break;
      case 'look':
        this.#watch.look(event, now);
        break;
      case 'level':
        this.#watch.level(event.peak, now);
        break;
      case 'lost':
        log.warn({ reason: event.reason }, 'the capture of the tab is lost');
        this.#lost ??= event.reason;
    }
  }

  /** @throws {CaptureError} where the capture is lost meanwhile, or it is closed */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    await setTimeout(ms, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new CaptureError('browser-failed', 'it was closed');
    if (this.#lost !== undefined) throw new CaptureError('browser-failed', this.#lost);
  }
}

function reasonOf(error: unknown): 'meeting-ended' | CaptureFailure {
  if (error instanceof Out) return error.reason;
  return error instanceof CaptureError || error instanceof BbbError ? error.code : 'browser-failed';
}

/** One is out of the meeting. */
class Out extends Error {
  readonly reason: 'meeting-ended' | CaptureFailure;

  constructor(reason: 'meeting-ended' | CaptureFailure, detail: string) {
    super(detail);
    this.reason = reason;
  }
}
