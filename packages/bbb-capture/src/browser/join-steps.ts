import type { CaptureFailure } from '@sluice/core';
import type { PageFacts } from './page-facts.js';
import type { Part } from './selectors.js';

/** What to do next in a client of BigBlueButton. */
export type JoinStep =
  /** Not there yet; `step` is what is waited for, for people. */
  | { readonly type: 'wait'; readonly step: string }
  | { readonly type: 'click'; readonly step: string; readonly part: Part; readonly selector: string }
  /** In the lobby, where a moderator has to act: the time for joining doesn't run. */
  | { readonly type: 'lobby' }
  /** In the meeting, and heard. */
  | { readonly type: 'in' }
  | { readonly type: 'out'; readonly reason: 'meeting-ended' | CaptureFailure; readonly detail: string };

/** How long a client is given to go on by itself before the next thing is clicked, and before it is clicked again. */
const PATIENCE_MS = 2500;
const AGAIN_MS = 3000;
/** A toggle that doesn't close the panels is one of something else. */
const MOST_TOGGLES = 3;
/** In English and German, as the client has it; others are taken for the meeting's end, which its API can tell. */
const REMOVED = /removed|entfernt|inactive|inaktiv|duplicate|doppelte/i;
const DENIED = /denied|deny|verweigert|abgelehnt/i;

/**
 * Decides how to come into a meeting and its sound from what the page shows. Clients join by themselves, with nothing
 * to be clicked; what they ask all the same is answered.
 */
export class JoinSteps {
  readonly #clicked = new Map<string, number>();
  #heardAt = new Map<string, number>();
  #stuckSince: number | undefined;
  #toggled = 0;

  /** @param now milliseconds, monotonic */
  next(facts: PageFacts, now: number): JoinStep {
    const isHeard = this.#isHeard(facts);
    const out = wayOut(facts);
    if (out !== undefined) return out;
    const { found } = facts;
    const lobby = found.get('lobby');
    if (lobby !== undefined && !found.has('client')) {
      if (DENIED.test(lobby.text)) return { type: 'out', reason: 'guest-denied', detail: lobby.text };
      return { type: 'lobby' };
    }
    const asksToPlay = this.#click(facts, 'playAudio', 'allow the sound', now);
    if (asksToPlay !== undefined) return asksToPlay;
    if (isHeard) {
      this.#stuckSince = undefined;
      return { type: 'in' };
    }
    return this.#intoSound(facts, now);
  }

  /** What to clear away of a meeting that one is in, if anything. @param hidesParts whether the panels are closed */
  tidy(facts: PageFacts, hidesParts: boolean, now: number): Extract<JoinStep, { type: 'click' }> | undefined {
    const { found } = facts;
    if (found.get('dismiss')?.seen === true) return this.#click(facts, 'dismiss', 'close what is in the way', now);
    const areOpen = hidesParts && found.get('panels')?.seen === true && this.#toggled < MOST_TOGGLES;
    const close = areOpen ? this.#click(facts, 'panelsToggle', 'close the panels', now) : undefined;
    if (close !== undefined) this.#toggled += 1;
    return close;
  }

  #intoSound(facts: PageFacts, now: number): JoinStep {
    const { found } = facts;
    const choice =
      this.#click(facts, 'listenOnly', 'listen only', now) ??
      this.#click(facts, 'echoYes', 'answer the echo test', now);
    if (choice !== undefined) return choice;
    if (!found.has('client') && !found.has('audioDialog')) {
      return { type: 'wait', step: "wait for the meeting's client" };
    }
    this.#stuckSince ??= now;
    if (now - this.#stuckSince < PATIENCE_MS) return { type: 'wait', step: 'wait for the sound' };
    const next = found.has('audioDialog')
      ? () => this.#click(facts, 'microphone', 'be refused a microphone', now)
      : () => this.#click(facts, 'joinAudio', 'join the audio', now);
    const covered = this.#click(facts, 'dismiss', 'close what is in the way', now);
    return covered ?? next() ?? { type: 'wait', step: 'wait for the sound' };
  }

  #click(facts: PageFacts, part: Part, step: string, now: number): Extract<JoinStep, { type: 'click' }> | undefined {
    const at = facts.found.get(part);
    const last = this.#clicked.get(part);
    if (at === undefined || (last !== undefined && now - last < AGAIN_MS)) return undefined;
    this.#clicked.set(part, now);
    return { type: 'click', step, part, selector: at.selector };
  }

  /** Whether a track that came from elsewhere has gone on since the last look. */
  #isHeard({ sounds }: PageFacts): boolean {
    const goesOn = sounds.some(({ id, at }) => at > (this.#heardAt.get(id) ?? at));
    this.#heardAt = new Map(sounds.map(({ id, at }) => [id, at]));
    return goesOn;
  }
}

/** How the client says that one is out, if it does. */
function wayOut({ found }: PageFacts): Extract<JoinStep, { type: 'out' }> | undefined {
  const ended = found.get('ended');
  if (ended !== undefined) {
    return { type: 'out', reason: REMOVED.test(ended.text) ? 'removed' : 'meeting-ended', detail: ended.text };
  }
  const error = found.get('error');
  if (error === undefined) return undefined;
  const text = error.text;
  if (DENIED.test(text)) return { type: 'out', reason: 'guest-denied', detail: text };
  if (REMOVED.test(text)) return { type: 'out', reason: 'removed', detail: text };
  if (/ended|beendet/i.test(text)) return { type: 'out', reason: 'meeting-ended', detail: text };
  if (/session|Sitzung/i.test(text)) return { type: 'out', reason: 'link-expired', detail: text };
  return { type: 'out', reason: 'bad-answer', detail: text };
}
