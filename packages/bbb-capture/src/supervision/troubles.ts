import type { CaptureTrouble } from '@sluice/core';
import { type Millis, millis } from '@sluice/media';

export interface Trouble {
  readonly trouble: CaptureTrouble;
  readonly detail: string;
  readonly since: Millis;
}

interface Present extends Trouble {
  readonly isFault: boolean;
}

/** The worst first: the one that is told where there are several. */
const ORDER: readonly CaptureTrouble[] = [
  'target-lost',
  'reconnecting',
  'audio-lost',
  'black',
  'frozen',
  'silent',
  'slow',
];

/**
 * How long a fault lasts before joining again is tried. What may be meant so is told only: nobody may be speaking, and a
 * slide may stand for an hour.
 */
const HEAL_MS: Partial<Record<CaptureTrouble, number>> = {
  'audio-lost': 1500,
  frozen: 1500,
  black: 45_000,
  reconnecting: 45_000,
};
/** The client heals it by itself, mostly; where it doesn't, it is a fault whatever was said of it. */
const ALWAYS_FAULT: CaptureTrouble = 'reconnecting';
/** The picture may be meant to be black: that is found out once. */
const HEALED_ONCE: ReadonlySet<CaptureTrouble> = new Set(['black']);

/** What is wrong with a capture that goes on. */
export class Troubles {
  readonly #present = new Map<CaptureTrouble, Present>();
  readonly #tried = new Set<CaptureTrouble>();

  /** One that is there already stays as old as it is. */
  begin(trouble: CaptureTrouble, { detail, isFault }: { detail: string; isFault: boolean }, now: number): void {
    const since = this.#present.get(trouble)?.since ?? millis(now);
    this.#present.set(trouble, { trouble, detail, since, isFault: isFault || trouble === ALWAYS_FAULT });
  }

  end(trouble: CaptureTrouble): void {
    this.#present.delete(trouble);
  }

  /** What was wrong in one browser is not in the next; the target stays what it is. */
  endOfStay(): void {
    for (const trouble of this.#present.keys()) if (trouble !== 'target-lost') this.#present.delete(trouble);
  }

  detailOf(trouble: CaptureTrouble): string | undefined {
    return this.#present.get(trouble)?.detail;
  }

  get worst(): Trouble | undefined {
    const kind = ORDER.find((candidate) => this.#present.has(candidate));
    const found = kind === undefined ? undefined : this.#present.get(kind);
    if (found === undefined) return undefined;
    const { trouble, detail, since } = found;
    return { trouble, detail, since };
  }

  /** When the first of them is to be healed by joining again. */
  get healAt(): number | undefined {
    const times = [...this.#present.values()].map((trouble) => this.#healTime(trouble));
    const least = Math.min(...times.filter((time) => time !== undefined));
    return Number.isFinite(least) ? least : undefined;
  }

  /** One that has lasted long enough; it counts as tried from now on. */
  due(now: number): Trouble | undefined {
    for (const trouble of this.#present.values()) {
      const time = this.#healTime(trouble);
      if (time === undefined || now < time) continue;
      this.#tried.add(trouble.trouble);
      return trouble;
    }
    return undefined;
  }

  #healTime({ trouble, since, isFault }: Present): number | undefined {
    const ms = isFault ? HEAL_MS[trouble] : undefined;
    return ms === undefined || (HEALED_ONCE.has(trouble) && this.#tried.has(trouble)) ? undefined : since + ms;
  }
}
