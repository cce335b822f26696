import {
  type AccessRequest,
  credentialsOf,
  type Doorkeeper,
  type OutputKind,
  plainAddress,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import type { SrtGrant, SrtRequest, StreamRequest } from '@sluice/srt';
import { SrtViewerSocket } from './srt-viewer-socket.js';
import { join } from './tags/join.js';
import { type Playback, play } from './tags/playback.js';
import type { TsOutput } from './ts/ts-output.js';

/** A caller's own patience is three seconds; it should hear the reason before that is over. */
const WAIT_FOR_STREAM_MS = 2000;

/** Answers SRT callers who want to watch: MPEG-TS, from the packager that all of them share. */
export class SrtPlay {
  readonly #context: { readonly gate: Doorkeeper; readonly router: StreamRouter };
  readonly #passphraseFor: (path: StreamPath) => string | undefined;
  readonly #kind: OutputKind<TsOutput>;

  constructor(options: {
    gate: Doorkeeper;
    router: StreamRouter;
    kind: OutputKind<TsOutput>;
    passphraseFor: (path: StreamPath) => string | undefined;
  }) {
    this.#context = options;
    this.#passphraseFor = options.passphraseFor;
    this.#kind = options.kind;
  }

  /** @throws {Refusal} when the gate says no, or the stream isn't live */
  async decide({ peer }: SrtRequest, wanted: StreamRequest): Promise<SrtGrant> {
    const { path, query, user, password } = wanted;
    const asked: AccessRequest = {
      action: 'play',
      protocol: 'srt',
      path,
      ip: plainAddress(peer.address),
      credentials: { ...credentialsOf(query), ...(user === undefined ? {} : { user, password }) },
      query,
    };
    const { admission, stream } = await join(asked, this.#context, AbortSignal.timeout(WAIT_FOR_STREAM_MS));
    return {
      passphrase: this.#passphraseFor(admission.session.path),
      abandoned: (reason) => admission.close(reason),
      open: (socket) => {
        let playback: Playback | undefined;
        socket.serve({
          // Viewers have nothing to tell us.
          payload: () => undefined,
          closed: (reason) => (playback === undefined ? admission.close(reason) : playback.stop(reason)),
        });
        playback = play(
          stream.output(this.#kind),
          new SrtViewerSocket(socket),
          admission,
          ({ reason }) => socket.close(reason),
          () => ({ ...socket.statistics() }),
        );
      },
    };
  }
}
