import {
  type CaptureInfo,
  type CaptureProfile,
  type CaptureRequest,
  type CaptureState,
  type Clock,
  type Logger,
  messageOf,
} from '@sluice/core';
import { type Micros, type Millis, micros, millis } from '@sluice/media';
import type { MeetingEvent } from '../api/meeting-watch.js';
import { Publisher, type PublisherState } from '../publish/publisher.js';
import type { PublishTarget } from '../publish/target.js';
import type { CaptureAction, CaptureInput, StayNews } from './capture-input.js';
import { CaptureMachine } from './capture-machine.js';
import type { MeetingDoor } from './meeting-door.js';
import { MethodChoice } from './method-choice.js';
import { PictureRate } from './picture-rate.js';
import { BrowserStay } from './stay.js';

export interface CaptureOptions {
  readonly id: string;
  readonly request: CaptureRequest;
  readonly profileName: string;
  readonly profile: CaptureProfile;
  readonly target: PublishTarget;
  readonly door: MeetingDoor;
  /** Chromium's file. */
  readonly browser: string;
  /** ffmpeg's. */
  readonly ffmpeg: string;
  readonly startedBy: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The state has changed. */
  readonly onState: (state: CaptureState) => void;
  /** Whether there is what a display is made of. */
  readonly hasDisplay: boolean;
}

const LOOK_MS = 1000;
/** Until BBB has said how the meeting is. */
const LEAST_WAIT_MS = 10_000;
/** Of these looks, every so many asks what it takes, which means to look at each process of the machine. */
const LOOKS_PER_USAGE = 5;

/** One capture under way: its machine, and the browser, the publisher and the watch that the machine holds. */
export class Capture {
  readonly #options: CaptureOptions;
  readonly #machine: CaptureMachine;
  readonly #publisher: Publisher;
  readonly #watching = new AbortController();
  readonly #epoch: Micros = micros(Number(process.hrtime.bigint() / 1000n));
  readonly #rate = new PictureRate();
  readonly #method: MethodChoice;
  readonly #startedAt: Millis;
  readonly #began: Millis;
  readonly #finished: Promise<void>;
  #resolveFinished: () => void = () => undefined;
  #stay: BrowserStay | undefined;
  #stayNumber = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #looks = 0;
  #shown = '';
  #endedAt: Millis | undefined;
  #generation: string | undefined;
  #hasSpoken = false;
  #usage = { bytes: 0, cpus: 0 };

  constructor(options: CaptureOptions) {
    this.#options = options;
    const { profile, target, door, clock, log, hasDisplay } = options;
    this.#method = new MethodChoice(profile, hasDisplay);
    this.#startedAt = clock.wall();
    this.#began = clock.monotonic();
    this.#finished = new Promise((resolve) => {
      this.#resolveFinished = resolve;
    });
    this.#machine = new CaptureMachine(
      {
        waitMs: Math.max(profile.waitSeconds * 1000, LEAST_WAIT_MS),
        maxMs: profile.maxSeconds * 1000,
        maxBytes: profile.memoryMib * 1024 * 1024,
        maxCpus: profile.cpus,
        isWatched: door.isWatched,
        random: Math.random,
      },
      clock.monotonic(),
    );
    this.#publisher = new Publisher({ target, log, onState: (state) => this.#targetIs(state) });
  }

  /** Begins; what becomes of it is in `info`. */
  begin(): void {
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#options.door
      .watch(
        { onEvent: (event) => this.#meetingIs(event), onAnswer: () => this.#take({ kind: 'answered' }) },
        this.#watching.signal,
      )
      .catch((error: unknown) => this.#take({ kind: 'refused', failure: 'bad-answer', detail: messageOf(error) }));
    this.#take({ kind: 'tick' });
  }

  get info(): CaptureInfo {
    const { id, request, profileName, target, startedBy } = this.#options;
    return {
      id,
      meetingId: request.meetingId,
      profile: profileName,
      target: target.shown,
      state: this.#wallState(),
      startedAt: this.#startedAt,
      startedBy,
      endedAt: this.#endedAt,
      generation: this.#generation,
      figures: {
        pictures: this.#publisher.pictures,
        picturesPerSecond: this.#rate.perSecond,
        bytes: this.#publisher.bytes,
        rejoins: this.#machine.rejoins,
        memoryBytes: this.isOver ? 0 : this.#usage.bytes,
        cpus: this.isOver ? 0 : Math.round(this.#usage.cpus * 100) / 100,
      },
    };
  }

  get target(): PublishTarget {
    return this.#options.target;
  }

  /** Nothing of it is left. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  get isOver(): boolean {
    return ['ended', 'failed'].includes(this.#machine.state.kind);
  }

  stop(): void {
    this.#take({ kind: 'stop' });
  }

  #take(input: CaptureInput): void {
    const { clock } = this.#options;
    for (const action of this.#machine.take(input, clock.monotonic())) this.#do(action);
    clearTimeout(this.#timer);
    const { deadline } = this.#machine;
    if (deadline !== undefined) {
      const ms = Math.max(0, deadline - clock.monotonic());
      this.#timer = setTimeout(() => this.#take({ kind: 'tick' }), Math.min(ms, 2 ** 31 - 1));
    }
    this.#show();
  }

  #do(action: CaptureAction): void {
    switch (action.kind) {
      case 'open':
        this.#open(action.stay, action.createTime);
        break;
      case 'close':
        this.#close();
        break;
      case 'finish':
        this.#finish();
    }
  }

  #open(number: number, createTime: number | undefined): void {
    const { door, profile, browser, ffmpeg, log } = this.#options;
    this.#stayNumber = number;
    const isCurrent = () => number === this.#stayNumber && this.#machine.isStaying;
    this.#stay = new BrowserStay({
      ...{ profile: { ...profile, method: this.#method.current }, browser, ffmpeg, log, epoch: this.#epoch },
      link: (signal) => door.link(createTime, signal),
      onNews: (news) => this.#newsOf(number, news),
      onConfig: (config) => {
        if (number === this.#stayNumber) this.#publisher.config(config);
      },
      onSample: (sample) => {
        if (isCurrent()) this.#publisher.sample(sample);
      },
      onGeneration: (generation) => {
        this.#generation = generation;
      },
    });
  }

  #close(): void {
    this.#stay?.close().catch((error: unknown) => {
      // What close itself can't end is not there any more; the capture must not wait for it.
      this.#options.log.error({ error: messageOf(error) }, 'a browser could not be closed');
      this.#newsOf(this.#stayNumber, { kind: 'closed' });
    });
  }

  #newsOf(stay: number, told: StayNews): void {
    let news = told;
    if (news.kind === 'failed') {
      const { failure, detail, hasBegun } = news;
      const { log } = this.#options;
      log.warn({ stay, failure, detail }, 'the browser is out of the meeting');
      if (!hasBegun && stay === this.#stayNumber && this.#method.failed(failure)) {
        log.warn({ method: this.#method.current }, 'it is captured the other way from now on');
        news = { ...news, failure: 'browser-failed' };
      }
    }
    // A stay tells of itself while it is made, and its actions must not come before it is there.
    queueMicrotask(() => this.#take({ kind: 'stay', stay, news }));
  }

  #finish(): void {
    clearInterval(this.#looking);
    clearTimeout(this.#timer);
    this.#watching.abort();
    this.#publisher
      .close()
      .catch((error: unknown) => this.#options.log.debug({ error: messageOf(error) }, 'the publish ended roughly'))
      .finally(() => this.#resolveFinished());
  }

  #targetIs(state: PublisherState): void {
    if (state.kind === 'live') queueMicrotask(() => this.#take({ kind: 'target-live' }));
    if (state.kind === 'lost') {
      const { reason: detail, refused } = state;
      queueMicrotask(() => this.#take({ kind: 'target-lost', detail, refused }));
    }
  }

  #meetingIs(event: MeetingEvent): void {
    switch (event.kind) {
      case 'began':
      case 'seen':
      case 'restarted':
        this.#take({
          kind: 'running',
          createTime: event.info.createTime,
          isAlone: this.#options.door.isAloneIn(event.info),
        });
        break;
      case 'ended':
        this.#take({ kind: 'over' });
        break;
      case 'unknown':
        this.#options.log.warn(
          { attempt: event.attempt, reason: event.error.message },
          'BigBlueButton gives no answer',
        );
        this.#take({ kind: 'unanswered', failure: event.error.code, detail: event.error.message });
        break;
      case 'failed':
        this.#take({ kind: 'refused', failure: event.error.code, detail: event.error.message });
    }
  }

  #look(): void {
    this.#rate.note(this.#publisher.pictures, this.#options.clock.monotonic());
    this.#looks += 1;
    const stay = this.#stay;
    if (stay === undefined || this.#looks % LOOKS_PER_USAGE !== 0) return;
    stay
      .usage()
      .then((usage) => {
        this.#usage = { bytes: usage.bytes, cpus: usage.cpus ?? 0 };
        this.#take({ kind: 'usage', ...usage });
      })
      .catch((error: unknown) => this.#options.log.debug({ error: messageOf(error) }, 'what it takes is not known'));
  }

  #show(): void {
    const { state } = this.#machine;
    const shown = JSON.stringify(state);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (this.isOver) this.#endedAt ??= this.#options.clock.wall();
    this.#options.onState(this.#wallState());
    if (state.kind === 'live' && !this.#hasSpoken) this.#speak();
  }

  /** Once in a capture; never worth more than a word in the log. */
  #speak(): void {
    this.#hasSpoken = true;
    const { profile, door, log } = this.#options;
    const { chatMessage } = profile;
    if (chatMessage === '') return;
    const byApi = this.#generation !== '2.x' && door.isWatched;
    const said = byApi ? door.say(chatMessage).catch(() => this.#stay?.say(chatMessage)) : this.#stay?.say(chatMessage);
    Promise.resolve(said).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'the notice could not be written into the chat');
    });
  }

  /** The machine counts by the monotonic clock, people by that on the wall. */
  #wallState(): CaptureState {
    const { state } = this.#machine;
    if (state.kind !== 'live' && state.kind !== 'degraded') return state;
    return { ...state, since: millis(Math.round(this.#startedAt + (state.since - this.#began))) };
  }
}
