import {
  credentialsOf,
  type Doorkeeper,
  type Logger,
  messageOf,
  type Publication,
  plainAddress,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import type { SrtGrant, SrtRequest, StreamRequest } from '@sluice/srt';
import { ingestSrt } from './srt-ingest.js';

/** Answers SRT callers who want to publish: MPEG-TS into samples. */
export class SrtPublish {
  readonly #gate: Doorkeeper;
  readonly #router: StreamRouter;
  readonly #passphraseFor: (path: StreamPath) => string | undefined;
  readonly #log: Logger;

  constructor(options: {
    gate: Doorkeeper;
    router: StreamRouter;
    passphraseFor: (path: StreamPath) => string | undefined;
    log: Logger;
  }) {
    this.#gate = options.gate;
    this.#router = options.router;
    this.#passphraseFor = options.passphraseFor;
    this.#log = options.log;
  }

  /** @throws {Refusal} when the gate says no */
  async decide({ peer }: SrtRequest, wanted: StreamRequest): Promise<SrtGrant> {
    const { path, query, user, password } = wanted;
    const admission = await this.#gate.admit({
      action: 'publish',
      protocol: 'srt',
      path,
      ip: plainAddress(peer.address),
      credentials: { ...credentialsOf(query), ...(user === undefined ? {} : { user, password }) },
      query,
    });
    const { session } = admission;
    return {
      passphrase: this.#passphraseFor(session.path),
      abandoned: (reason) => admission.close(reason),
      open: (socket) => {
        admission.bind({
          cut: (reason) => socket.close(reason),
          traffic: () => ({ received: socket.statistics().byteRecv, sent: 0 }),
          transport: () => ({ ...socket.statistics() }),
        });
        // Only now: whoever doesn't know the passphrase must not take a stream over.
        let publication: Publication | undefined;
        try {
          const published = this.#router.publish(session, { cut: (reason) => socket.close(reason) });
          publication = published;
          ingestSrt(socket, {
            path: session.path,
            log: this.#log,
            write: (event) => published.write(event),
            over: (reason) => {
              published.end(reason);
              admission.close(reason);
            },
          });
          this.#log.info({ session: session.id, path: session.path, ip: session.ip }, 'publishing began');
        } catch (error) {
          publication?.end('refused');
          admission.close(messageOf(error));
          socket.close(messageOf(error));
        }
      },
    };
  }
}
