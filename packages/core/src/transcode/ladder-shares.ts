import type { RenditionSettings } from '../config/transcode-schema.js';
import type { CpuBudget, CpuShare } from './cpu-budget.js';
import { decodingCost, renditionCost, type SourcePicture } from './rendition-cost.js';

/** What the renditions of one stream have taken of the CPU budget: each of them its own, and the decoding once. */
export class LadderShares<T extends { readonly settings: RenditionSettings }> {
  readonly #budget: CpuBudget;
  readonly #shares = new Map<T, CpuShare>();
  #decoding: CpuShare | undefined;

  constructor(budget: CpuBudget) {
    this.#budget = budget;
  }

  /** In all. */
  get cores(): number {
    return [this.#decoding, ...this.#shares.values()].reduce((sum, share) => sum + (share?.cores ?? 0), 0);
  }

  /** Of the rendition that takes most. */
  get most(): number {
    return Math.max(0, ...[...this.#shares.values()].map(({ cores }) => cores));
  }

  get size(): number {
    return this.#shares.size;
  }

  has(rendition: T): boolean {
    return this.#shares.has(rendition);
  }

  /** @returns why there is no room for it; undefined where there is, and was taken */
  take(rendition: T, picture: SourcePicture | undefined): string | undefined {
    if (this.#shares.has(rendition)) return undefined;
    const budget = this.#budget;
    const decodes = picture !== undefined && rendition.settings.codec !== 'none' && this.#decoding === undefined;
    const decoding = decodes ? budget.take(decodingCost(picture)) : undefined;
    const own = renditionCost(rendition.settings, picture);
    const share = decodes && decoding === undefined ? undefined : budget.take(own);
    if (share === undefined) {
      decoding?.release();
      const needed = own + (decodes ? decodingCost(picture) : 0);
      return `it needs ${cores(needed)}, and of ${cores(budget.limit)} ${cores(budget.taken)} are taken (transcode.cpuBudget)`;
    }
    this.#decoding ??= decoding;
    this.#shares.set(rendition, share);
    return undefined;
  }

  /** Of one rendition. With the last one that has a picture, the decoding is over, too. */
  drop(rendition: T): void {
    this.#shares.get(rendition)?.release();
    this.#shares.delete(rendition);
    if ([...this.#shares.keys()].some(({ settings }) => settings.codec !== 'none')) return;
    this.#decoding?.release();
    this.#decoding = undefined;
  }

  giveBack(): void {
    this.#decoding?.release();
    this.#decoding = undefined;
    for (const share of this.#shares.values()) share.release();
    this.#shares.clear();
  }
}

const cores = (count: number): string => `${count.toFixed(2)} cores`;
