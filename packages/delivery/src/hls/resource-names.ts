import type { StreamPath } from '@sluice/core';
import type { ResourceUrls } from './playlist.js';

/** What a name stands for. */
export type NamedResource =
  | { readonly kind: 'segment'; readonly segment: number; readonly part: undefined; readonly extension: string }
  | { readonly kind: 'part'; readonly segment: number; readonly part: number; readonly extension: string }
  | { readonly kind: 'init'; readonly init: number; readonly extension: string }
  | { readonly kind: 'key'; readonly key: number };

const FORM = /^([0-9a-f]+)-(?:init(\d{1,9})|(\d{1,15})(?:\.(\d{1,6}))?)\.(ts|m4s|mp4)$/;
const KEY_FORM = /^([0-9a-f]+)-key(\d{1,9})\.key$/;

/** The names of one output's segments, parts, init segments and keys: `show/hls/1f2e3d4c-17.3.m4s`. */
export class ResourceNames implements ResourceUrls {
  extension: 'ts' | 'm4s' = 'm4s';
  readonly #folder: string;
  readonly #epoch: string;

  /** @param epoch tells one output's from another's */
  constructor(path: StreamPath, epoch: string) {
    this.#folder = `${path.slice(path.lastIndexOf('/') + 1)}/hls`;
    this.#epoch = epoch;
  }

  segment(number: number): string {
    return `${this.#folder}/${this.#epoch}-${number}.${this.extension}`;
  }

  part(segment: number, part: number): string {
    return `${this.#folder}/${this.#epoch}-${segment}.${part}.${this.extension}`;
  }

  init(number: number): string {
    return `${this.#folder}/${this.#epoch}-init${number}.mp4`;
  }

  key(number: number): string {
    return `${this.#folder}/${this.#epoch}-key${number}.key`;
  }

  /** @param name without the folder @returns undefined for what isn't one of this output's */
  read(name: string): NamedResource | undefined {
    const [, keyEpoch, key] = KEY_FORM.exec(name) ?? [];
    if (key !== undefined) return keyEpoch === this.#epoch ? { kind: 'key', key: Number(key) } : undefined;
    const [, epoch, init, segment, part, extension = ''] = FORM.exec(name) ?? [];
    if (epoch !== this.#epoch) return undefined;
    if (init !== undefined) return { kind: 'init', init: Number(init), extension };
    if (part === undefined) return { kind: 'segment', segment: Number(segment), part, extension };
    return { kind: 'part', segment: Number(segment), part: Number(part), extension };
  }
}
