import { growingPause } from '@sluice/core';
import type { MeetingInfo } from './answers.js';
import { BbbError } from './errors.js';

export type MeetingEvent =
  /** Somebody is in it. */
  | { readonly kind: 'began'; readonly info: MeetingInfo }
  /** Each answer while it runs: who is in it, and who listens. */
  | { readonly kind: 'seen'; readonly info: MeetingInfo }
  | { readonly kind: 'ended'; readonly byForce: boolean }
  /** Another meeting of the same id runs; the one before is over, though its end was not seen. */
  | { readonly kind: 'restarted'; readonly info: MeetingInfo }
  /** It can't be told how the meeting is; asking goes on, less often. */
  | { readonly kind: 'unknown'; readonly error: BbbError; readonly attempt: number }
  /** Asking again would not help. The watch is over. */
  | { readonly kind: 'failed'; readonly error: BbbError };

export type PollOutcome = MeetingInfo | BbbError;

const USUAL_MS = 4000;
const MOST_MS = 60_000;
/** While it runs, its end must be noticed soon, however often the server failed. */
const MOST_RUNNING_MS = 7000;

/** Tells from answers of `getMeetingInfo` when a meeting begins and ends. Holds no timer and asks nobody. */
export class MeetingWatch {
  #createTime: number | undefined;
  #failures = 0;

  get isRunning(): boolean {
    return this.#createTime !== undefined;
  }

  receive(outcome: PollOutcome): MeetingEvent[] {
    if (!(outcome instanceof BbbError)) {
      this.#failures = 0;
      return this.#see(outcome);
    }
    if (outcome.isPassing) {
      this.#failures++;
      return [{ kind: 'unknown', error: outcome, attempt: this.#failures }];
    }
    if (outcome.code === 'no-meeting' || outcome.code === 'meeting-ended-by-force') {
      this.#failures = 0;
      return this.#end(outcome.code === 'meeting-ended-by-force');
    }
    if (!this.isRunning) return [{ kind: 'failed', error: outcome }];
    // It was answered before: a secret that is being changed must not end what is on air.
    this.#failures++;
    return [{ kind: 'unknown', error: outcome, attempt: this.#failures }];
  }

  /** Until it is to be asked again, in milliseconds. @param random 0 to 1 */
  delay(random: number): number {
    const longestMs = this.isRunning ? MOST_RUNNING_MS : MOST_MS;
    return growingPause(this.#failures + 1, { firstMs: USUAL_MS, longestMs }, random);
  }

  #see(info: MeetingInfo): MeetingEvent[] {
    if (!info.isRunning || info.wasEndedByForce) return this.#end(info.wasEndedByForce);
    const before = this.#createTime;
    this.#createTime = info.createTime;
    if (before === undefined) return [{ kind: 'began', info }];
    return [{ kind: before === info.createTime ? 'seen' : 'restarted', info }];
  }

  #end(byForce: boolean): MeetingEvent[] {
    if (!this.isRunning) return [];
    this.#createTime = undefined;
    return [{ kind: 'ended', byForce }];
  }
}

export interface WatchOptions {
  /** One `getMeetingInfo`. */
  readonly poll: (signal: AbortSignal) => Promise<MeetingInfo>;
  readonly onEvent: (event: MeetingEvent) => void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Rejects when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
}

/**
 * Asks how a meeting is, again and again, until the signal is aborted or asking has no use. It goes on when the meeting
 * has ended: another one of its id may begin.
 *
 * @throws what `poll` throws beside `BbbError`, and what `onEvent` throws
 */
export async function watchMeeting({ poll, onEvent, signal, wait, random }: WatchOptions): Promise<void> {
  const watch = new MeetingWatch();
  while (!signal.aborted) {
    let outcome: PollOutcome;
    try {
      outcome = await poll(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof BbbError)) throw error;
      outcome = error;
    }
    for (const event of watch.receive(outcome)) {
      onEvent(event);
      if (event.kind === 'failed') return;
    }
    try {
      await wait(watch.delay(random()), signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}
