/** A part of the budget that is taken. */
export interface CpuShare {
  readonly cores: number;
  /** Gives it back. Later calls do nothing. */
  release(): void;
}

/** Cores that may be taken in all, and who has taken them. */
export class CpuBudget {
  readonly #limit: () => number;
  readonly #shares = new Set<CpuShare>();

  /** @param limit in cores */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit();
  }

  get taken(): number {
    let sum = 0;
    for (const { cores } of this.#shares) sum += cores;
    return sum;
  }

  /** @returns undefined where there is not so much left */
  take(cores: number): CpuShare | undefined {
    if (this.taken + cores > this.limit) return undefined;
    const share: CpuShare = { cores, release: () => void this.#shares.delete(share) };
    this.#shares.add(share);
    return share;
  }
}

/** What may be taken on a machine where nothing is said: all of its cores but one, and half a core at least. */
export function usualBudget(cores: number): number {
  return Math.max(0.5, cores - 1);
}
