import type { CaptureFailure, CaptureState, CaptureTrouble } from '@sluice/core';
import { type Millis, millis } from '@sluice/media';
import type { CaptureAction, CaptureInput, StayNews } from './capture-input.js';
import {
  ALONE_MS,
  BUSY_MS,
  isHopeless,
  JOIN_MS,
  LOST_TARGET_MS,
  MOST_ATTEMPTS,
  pauseMs,
  SETTLE_MS,
  STEADY_MS,
} from './patience.js';
import { Troubles } from './troubles.js';

export interface MachineSettings {
  /** For the meeting to begin, and in its lobby. */
  readonly waitMs: number;
  /** For all of it; 0: without end. */
  readonly maxMs: number;
  /** Of the browser and its children. */
  readonly maxBytes: number;
  /** Processors that they may take for long; 0: as many as they like. */
  readonly maxCpus: number;
  /** Whether BBB can be asked how the meeting is: else the page alone tells of its end. */
  readonly isWatched: boolean;
  /** 0 to 1, for pauses. */
  readonly random: () => number;
}

type Phase =
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'joining'; readonly until: number; readonly step: string; readonly inLobby: boolean }
  | { readonly kind: 'staying'; readonly since: number }
  /** Before it joins again. `asksForEnd`: the page spoke of the meeting's end, and BBB is to say so, too. */
  | { readonly kind: 'pausing'; readonly until: number; readonly step: string; readonly asksForEnd: boolean }
  | { readonly kind: 'over'; readonly state: CaptureState };

type Slot = 'free' | 'open' | 'closing';

/**
 * The life of one capture: waits for its meeting, joins, stays, joins again, ends. It holds no timer and no browser;
 * times are milliseconds that never go back. There is at most one stay at a time: the next is opened when the one
 * before is closed.
 */
export class CaptureMachine {
  readonly #settings: MachineSettings;
  readonly #began: number;
  readonly #troubles = new Troubles();
  #phase: Phase;
  #slot: Slot = 'free';
  #stay = 0;
  #attempt = 1;
  #createTime: number | undefined;
  #isTargetLive = false;
  #wasLive = false;
  #liveSince: number | undefined;
  #lostSince: number | undefined;
  #refusedSince: number | undefined;
  #aloneSince: number | undefined;
  #busySince: number | undefined;
  #silence: { readonly failure: CaptureFailure; readonly detail: string } | undefined;
  #isFinished = false;

  constructor(settings: MachineSettings, now: Millis) {
    this.#settings = settings;
    this.#began = now;
    this.#phase = settings.isWatched
      ? { kind: 'waiting', until: now + settings.waitMs }
      : { kind: 'pausing', until: now, step: 'starts', asksForEnd: false };
  }

  get state(): CaptureState {
    const phase = this.#phase;
    switch (phase.kind) {
      case 'over':
        return phase.state;
      case 'waiting':
        return { kind: 'waiting' };
      case 'staying':
        return this.#stayState(phase.since);
      default:
        return this.#wasLive ? this.#reconnecting(phase.step) : this.#joining(phase.step);
    }
  }

  /** How often a browser was opened again. */
  get rejoins(): number {
    return Math.max(0, this.#stay - 1);
  }

  /** Whether what the browser gives belongs into the stream: not before it is in the meeting. */
  get isStaying(): boolean {
    return this.#phase.kind === 'staying';
  }

  /** When it is to be ticked next; undefined where only others can bring it on. */
  get deadline(): Millis | undefined {
    if (this.#phase.kind === 'over') return undefined;
    const { maxMs } = this.#settings;
    const most = maxMs === 0 ? undefined : this.#began + maxMs;
    const times = [most, this.#refusedUntil, this.#aloneUntil, this.#phaseUntil];
    const least = Math.min(...times.filter((time) => time !== undefined));
    return Number.isFinite(least) ? millis(least) : undefined;
  }

  /** Takes what has happened. @returns what is to be done, in order */
  take(input: CaptureInput, now: Millis): CaptureAction[] {
    const actions = [...this.#react(input, now), ...this.#expire(now)];
    this.#noteLive(now);
    if (this.#phase.kind === 'over' && this.#slot === 'free' && !this.#isFinished) {
      this.#isFinished = true;
      actions.push({ kind: 'finish' });
    }
    return actions;
  }

  get #phaseUntil(): number | undefined {
    const phase = this.#phase;
    if (phase.kind === 'staying') return this.#troubles.healAt;
    if (phase.kind === 'over') return undefined;
    // A pause that is over waits for the browser before to be closed.
    return phase.kind === 'pausing' && this.#slot !== 'free' ? undefined : phase.until;
  }

  get #aloneUntil(): number | undefined {
    return this.#aloneSince === undefined ? undefined : this.#aloneSince + ALONE_MS;
  }

  get #refusedUntil(): number | undefined {
    return this.#refusedSince === undefined ? undefined : this.#refusedSince + LOST_TARGET_MS;
  }

  #react(input: CaptureInput, now: number): CaptureAction[] {
    if (input.kind === 'stay') return this.#takeNews(input.stay, input.news, now);
    if (this.#phase.kind === 'over') return [];
    switch (input.kind) {
      case 'running':
        this.#aloneSince = input.isAlone ? (this.#aloneSince ?? now) : undefined;
        return this.#takeRunning(input.createTime, now);
      case 'over':
        return this.#end({ kind: 'ended', reason: 'meeting-ended' });
      case 'unanswered':
        this.#silence = { failure: input.failure, detail: input.detail };
        return [];
      case 'answered':
        this.#silence = undefined;
        return [];
      case 'refused':
        return this.#fail(input.failure, input.detail);
      case 'stop':
        return this.#end({ kind: 'ended', reason: 'stopped' });
      case 'target-live':
        this.#isTargetLive = true;
        this.#refusedSince = undefined;
        this.#troubles.end('target-lost');
        return [];
      case 'target-lost':
        this.#isTargetLive = false;
        this.#refusedSince = input.refused ? (this.#refusedSince ?? now) : undefined;
        this.#troubles.begin('target-lost', { detail: input.detail, isFault: false }, now);
        return [];
      case 'usage':
        return this.#takeUsage(input, now);
      case 'tick':
        return [];
    }
  }

  #takeRunning(createTime: number, now: number): CaptureAction[] {
    const before = this.#createTime;
    this.#createTime = createTime;
    if (this.#phase.kind === 'waiting') return this.#pause(0, 'starts', now);
    if (before === undefined || before === createTime) return [];
    // Another meeting of the same id: the browser is in one that is over.
    this.#attempt = 1;
    return this.#rejoin(`the meeting ${createTime} has taken the place of ${before}`, now);
  }

  #takeUsage({ bytes, cpus = 0 }: { bytes: number; cpus: number | undefined }, now: number): CaptureAction[] {
    const { maxBytes, maxCpus } = this.#settings;
    if (this.#slot !== 'open') return [];
    if (bytes > maxBytes) {
      return this.#retry('over-limit', `the browser takes ${mib(bytes)} MiB of ${mib(maxBytes)} MiB`, now);
    }
    this.#busySince = maxCpus === 0 || cpus <= maxCpus ? undefined : (this.#busySince ?? now);
    if (this.#busySince === undefined || now - this.#busySince < BUSY_MS) return [];
    return this.#retry('over-limit', `the browser takes ${cpus.toFixed(1)} processors of ${maxCpus}`, now);
  }

  #takeNews(stay: number, news: StayNews, now: number): CaptureAction[] {
    if (stay !== this.#stay || this.#slot === 'free') return [];
    if (news.kind === 'closed') {
      const wasOpen = this.#slot === 'open';
      this.#slot = 'free';
      return wasOpen && this.#phase.kind !== 'over'
        ? this.#retry('browser-failed', 'the browser ended by itself', now)
        : [];
    }
    if (this.#slot === 'closing' || this.#phase.kind === 'over') return [];
    switch (news.kind) {
      case 'step':
        if (this.#phase.kind === 'joining') this.#phase = { ...this.#phase, step: news.step };
        return [];
      case 'lobby':
        return this.#takeLobby(now);
      case 'live':
        if (this.#phase.kind === 'joining') this.#phase = { kind: 'staying', since: now };
        return [];
      case 'trouble':
        this.#troubles.begin(news.trouble, news, now);
        return [];
      case 'well':
        this.#troubles.end(news.trouble);
        return [];
      case 'meeting-ended':
        return this.#takePageEnd(now);
      case 'failed':
        return this.#takeFailure(news.failure, news.detail, now);
    }
  }

  #takeLobby(now: number): CaptureAction[] {
    if (this.#phase.kind !== 'joining' || this.#phase.inLobby) return [];
    const until = now + this.#settings.waitMs;
    this.#phase = { kind: 'joining', until, step: 'waits in the lobby', inLobby: true };
    return [];
  }

  #takePageEnd(now: number): CaptureAction[] {
    if (!this.#settings.isWatched) return this.#end({ kind: 'ended', reason: 'meeting-ended' });
    if (this.#wasSteady(now)) this.#attempt = 1;
    return this.#pause(SETTLE_MS, 'asks whether the meeting has ended', now, { asksForEnd: true });
  }

  #takeFailure(failure: CaptureFailure, detail: string, now: number): CaptureAction[] {
    // Who was in it before may come back: a moderator's slip, a page that was cut off.
    const isKick = failure === 'removed' && this.#phase.kind === 'staying';
    // BBB's API says that it runs, the page that it doesn't: one of them is late.
    const isEarly = failure === 'no-meeting' && this.#settings.isWatched;
    if (this.#hasEnded(failure)) return this.#end({ kind: 'ended', reason: 'meeting-ended' });
    if (isHopeless(failure) && !isKick && !isEarly) return this.#fail(failure, detail);
    return this.#retry(failure, detail, now);
  }

  /** Whether it is refused because the meeting, which ran before, has ended while it was on its way back. */
  #hasEnded(failure: CaptureFailure): boolean {
    const ran = this.#wasLive || this.#createTime !== undefined;
    const isGone = failure === 'no-meeting' && !this.#settings.isWatched;
    return ran && (failure === 'meeting-ended-by-force' || isGone);
  }

  #retry(failure: CaptureFailure, detail: string, now: number): CaptureAction[] {
    this.#attempt = this.#wasSteady(now) ? 2 : this.#attempt + 1;
    if (this.#attempt > MOST_ATTEMPTS) return this.#fail(failure, detail);
    return this.#rejoin(detail, now);
  }

  #wasSteady(now: number): boolean {
    return this.#phase.kind === 'staying' && now - this.#phase.since >= STEADY_MS;
  }

  #rejoin(detail: string, now: number): CaptureAction[] {
    return this.#pause(pauseMs(this.#attempt, this.#settings.random()), detail, now);
  }

  #pause(ms: number, step: string, now: number, { asksForEnd = false } = {}): CaptureAction[] {
    const actions = this.#close();
    this.#troubles.endOfStay();
    this.#busySince = undefined;
    this.#lostSince ??= now;
    this.#phase = { kind: 'pausing', until: now + ms, step, asksForEnd };
    return actions;
  }

  /** The page was wrong about the end, or threw it out in words that aren't known: it comes back, but not for ever. */
  #comeBack(now: number): CaptureAction[] {
    this.#attempt += 1;
    if (this.#attempt <= MOST_ATTEMPTS) return this.#open(now);
    return this.#fail(
      'removed',
      'the page says again and again that the meeting has ended; BigBlueButton, that it runs',
    );
  }

  #close(): CaptureAction[] {
    if (this.#slot !== 'open') return [];
    this.#slot = 'closing';
    return [{ kind: 'close', stay: this.#stay }];
  }

  /** What the time is up for. */
  #expire(now: number): CaptureAction[] {
    const phase = this.#phase;
    if (phase.kind === 'over') return [];
    const { maxMs } = this.#settings;
    if (maxMs !== 0 && now >= this.#began + maxMs) return this.#fail('too-long', `its ${maxMs / 1000} s are over`);
    if (this.#refusedUntil !== undefined && now >= this.#refusedUntil) {
      return this.#fail('target-refused', this.#troubles.detailOf('target-lost') ?? 'the target refuses the stream');
    }
    if (this.#aloneUntil !== undefined && now >= this.#aloneUntil) {
      return this.#end({ kind: 'ended', reason: 'meeting-ended' });
    }
    if (phase.kind === 'staying') return this.#heal(now);
    if (now < phase.until) return [];
    switch (phase.kind) {
      case 'waiting':
        return this.#failWaiting();
      case 'joining':
        if (phase.inLobby) return this.#fail('guest-denied', 'nobody let it in from the lobby');
        return this.#retry('not-heard', `it did not get into the meeting and its sound in time (${phase.step})`, now);
      case 'pausing':
        if (this.#slot !== 'free') return [];
        return phase.asksForEnd ? this.#comeBack(now) : this.#open(now);
    }
  }

  #heal(now: number): CaptureAction[] {
    const due = this.#troubles.due(now);
    if (due === undefined) return [];
    return this.#retry(due.trouble === 'audio-lost' ? 'not-heard' : 'browser-failed', due.detail, now);
  }

  /** A server that says nothing is told from a meeting that isn't there. */
  #failWaiting(): CaptureAction[] {
    if (this.#silence !== undefined) return this.#fail(this.#silence.failure, this.#silence.detail);
    return this.#fail('no-meeting', `the meeting has not begun within ${this.#settings.waitMs / 1000} s`);
  }

  #open(now: number): CaptureAction[] {
    this.#stay += 1;
    this.#slot = 'open';
    this.#phase = { kind: 'joining', until: now + JOIN_MS, step: 'starts the browser', inLobby: false };
    return [{ kind: 'open', stay: this.#stay, createTime: this.#createTime }];
  }

  #fail(failure: CaptureFailure, detail: string): CaptureAction[] {
    return this.#end({ kind: 'failed', failure, detail });
  }

  #end(state: CaptureState): CaptureAction[] {
    const actions = this.#close();
    this.#phase = { kind: 'over', state };
    return actions;
  }

  #noteLive(now: number): void {
    const isLive = this.#phase.kind === 'staying' && this.#isTargetLive;
    if (isLive) this.#wasLive = true;
    if (this.#phase.kind === 'staying') this.#lostSince = undefined;
    this.#liveSince = isLive ? (this.#liveSince ?? now) : undefined;
  }

  #joining(step: string): CaptureState {
    return { kind: 'joining', step, attempt: this.#attempt };
  }

  #reconnecting(detail: string): CaptureState {
    return { kind: 'degraded', trouble: 'reconnecting', detail, since: millis(this.#lostSince ?? this.#began) };
  }

  #stayState(since: number): CaptureState {
    if (!this.#isTargetLive && !this.#wasLive) return this.#joining('connects to the target');
    const worst = this.#troubles.worst;
    if (worst !== undefined) return { kind: 'degraded', ...worst };
    if (this.#liveSince !== undefined) return { kind: 'live', since: millis(this.#liveSince) };
    const trouble: CaptureTrouble = 'target-lost';
    return { kind: 'degraded', trouble, detail: 'connects to the target', since: millis(since) };
  }
}

function mib(bytes: number): number {
  return Math.round(bytes / (1024 * 1024));
}
