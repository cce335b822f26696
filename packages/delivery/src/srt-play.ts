import {
  type AccessRequest,
  credentialsOf,
  type FanOutContext,
  type Gate,
  type Logger,
  type OutputKind,
  plainAddress,
  type StreamPath,
  type StreamRouter,
  type ViewerSocket,
} from '@sluice/core';
import type { SrtGrant, SrtRequest, SrtSocket, StreamRequest } from '@sluice/srt';
import { join } from './tags/join.js';
import { type Playback, play } from './tags/playback.js';
import { type TsOutput, tsOutputKind } from './ts/ts-output.js';

/** A caller's own patience is three seconds; it should hear the reason before that is over. */
const WAIT_FOR_STREAM_MS = 2000;
const TS_PACKET = 188;
/** As every SRT tool sends it: seven MPEG-TS packets. */
const PAYLOAD_BYTES = 7 * TS_PACKET;

/** Answers SRT callers who want to watch: MPEG-TS, from the packager that all of them share. */
export class SrtPlay {
  readonly #context: { readonly gate: Gate; readonly router: StreamRouter };
  readonly #passphraseFor: (path: StreamPath) => string | undefined;
  readonly #kind: OutputKind<TsOutput>;

  constructor(options: {
    gate: Gate;
    router: StreamRouter;
    context: FanOutContext;
    passphraseFor: (path: StreamPath) => string | undefined;
    log: Logger;
  }) {
    this.#context = options;
    this.#passphraseFor = options.passphraseFor;
    this.#kind = tsOutputKind(options.context, options.log);
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
        playback = play(stream.output(this.#kind), new SrtViewerSocket(socket), admission, ({ reason }) =>
          socket.close(reason),
        );
      },
    };
  }
}

/** What fan-out writes to, over SRT. It is never full: what the line doesn't take in time is dropped by its own rules. */
class SrtViewerSocket implements ViewerSocket {
  readonly writableLength = 0;
  readonly #socket: SrtSocket;

  constructor(socket: SrtSocket) {
    this.#socket = socket;
  }

  write(bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; at += PAYLOAD_BYTES) this.#socket.send(bytes.subarray(at, at + PAYLOAD_BYTES));
    return true;
  }

  cork(): void {}

  uncork(): void {}

  on(): void {}

  off(): void {}
}
