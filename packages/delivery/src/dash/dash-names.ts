import type { StreamPath } from '@sluice/core';

/** What a name stands for; without a number, the init segment. */
export interface NamedResource {
  readonly period: number;
  /** The Representation's id. */
  readonly track: string;
  readonly number: number | undefined;
}

const FORM = /^([0-9a-f]+)-(\d{1,9})-([av]\d{1,9})-(?:init\.mp4|(\d{1,15})\.m4s)$/;

/** The names of one output's segments and init segments, relative to its MPD: `show/dash/1f2e3d4c-1-v0-17.m4s`. */
export class DashNames {
  readonly #name: string;
  readonly #epoch: string;

  /** @param epoch tells one output's from another's */
  constructor(path: StreamPath, epoch: string) {
    this.#name = path.slice(path.lastIndexOf('/') + 1);
    this.#epoch = epoch;
  }

  /** @param rendition whose it is; else the stream's own */
  init(period: number, track: string, rendition?: string): string {
    return `${this.#folder(rendition)}/${this.#epoch}-${period}-${track}-init.mp4`;
  }

  /** The template of ISO 23009-1 §5.3.9.4.4. */
  media(period: number, track: string, rendition?: string): string {
    return `${this.#folder(rendition)}/${this.#epoch}-${period}-${track}-$Number$.m4s`;
  }

  /** @param name without the folder @returns undefined for what isn't one of this output's */
  read(name: string): NamedResource | undefined {
    const [, epoch, period, track = '', number] = FORM.exec(name) ?? [];
    if (epoch !== this.#epoch) return undefined;
    return { period: Number(period), track, number: number === undefined ? undefined : Number(number) };
  }

  #folder(rendition: string | undefined): string {
    return rendition === undefined ? `${this.#name}/dash` : `${this.#name}/${rendition}/dash`;
  }
}
