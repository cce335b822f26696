import type { FromWorker } from '@sluice/cluster';
import type { RenditionDirectory, RenditionInfo, StreamPath } from '@sluice/core';

/** The renditions of streams, which the main process makes and tells of. */
export class PushedRenditions implements RenditionDirectory {
  readonly #send: (message: FromWorker) => void;
  readonly #of = new Map<StreamPath, readonly RenditionInfo[]>();

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  renditionsOf(path: StreamPath): readonly RenditionInfo[] {
    return this.#of.get(path) ?? [];
  }

  want(path: StreamPath): void {
    this.#send({ type: 'want-rendition', path });
  }

  take(of: readonly (readonly [StreamPath, readonly RenditionInfo[]])[]): void {
    for (const [path, renditions] of of) {
      if (renditions.length === 0) this.#of.delete(path);
      else this.#of.set(path, renditions);
    }
  }
}
