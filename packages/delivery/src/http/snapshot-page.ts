import { setTimeout as sleep } from 'node:timers/promises';
import { type Admission, type Doorkeeper, Refusal, type Snapshots, type Stream, type StreamRouter } from '@sluice/core';
import { type MediaRequest, playRequestOf } from './media-request.js';
import type { MediaResponse } from './media-response.js';
import { sendRefusal } from './responses.js';

/** So long is the first picture of a stream waited for that has just been fetched. */
const FIRST_PICTURE_MS = 5000;
const LOOK_MS = 50;

export interface SnapshotPageOptions {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly snapshots: Snapshots;
  /** How long caches may keep a picture. */
  readonly seconds: () => number;
}

/** Serves posters: `/{path}.jpg`, for who may watch the stream. */
export class SnapshotPage {
  readonly #options: SnapshotPageOptions;

  constructor(options: SnapshotPageOptions) {
    this.#options = options;
  }

  async serve(request: MediaRequest, response: MediaResponse, path: string): Promise<void> {
    const { gate, router, snapshots, seconds } = this.#options;
    try {
      const admission = await gate.admit(playRequestOf(request, 'snapshot', path));
      let sent = 0;
      admission.bind({ cut: () => response.destroy(), traffic: () => ({ received: 0, sent }) });
      try {
        const { path: asked, ip, identity } = admission.session;
        const stream = router.find(asked) ?? (await this.#fetched(admission, response));
        const { jpeg, at } = await snapshots.of(stream);
        const isShared = identity.kind === 'anonymous' && gate.isOpenTo('play', asked, ip);
        response.writeHead(200, {
          'Content-Type': 'image/jpeg',
          'Content-Length': jpeg.length,
          'Cache-Control': `${isShared ? 'public' : 'private'}, max-age=${Math.ceil(seconds())}`,
          'Last-Modified': new Date(at).toUTCString(),
        });
        sent = request.message.method === 'HEAD' ? 0 : jpeg.length;
        response.end(sent === 0 ? undefined : jpeg);
      } finally {
        admission.close('the picture was sent');
      }
    } catch (error) {
      sendRefusal(response, error);
    }
  }

  /** A stream that comes from elsewhere, with its first picture, if that is soon. @throws {Refusal} `not-live` */
  async #fetched({ session }: Admission, response: MediaResponse): Promise<Stream> {
    const { router } = this.#options;
    const { path } = session;
    if (!router.canFetch(path)) throw new Refusal('not-live', `nobody publishes ${path}`);
    const left = new AbortController();
    const leave = () => left.abort();
    response.once('close', leave);
    try {
      const stream = await router.waitFor(path, left.signal, { viewer: session });
      const until = performance.now() + FIRST_PICTURE_MS;
      while (stream.keyframe === undefined && performance.now() < until && !left.signal.aborted) await sleep(LOOK_MS);
      return stream;
    } finally {
      response.off('close', leave);
    }
  }
}
