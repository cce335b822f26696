import type { PublisherControl, Publishing, Session } from '@sluice/core';
import type { MediaEvent } from '@sluice/media';
import type { WireFrame } from '../relay/frame.js';
import { packFrame } from '../relay/wire/pack-frame.js';
import type { Line } from './line.js';
import type { FromWorker, ToWorker } from './messages.js';
import type { RemoteDoorkeeper } from './remote-doorkeeper.js';

/** An encoder that sends so much faster than the main process takes it is cut. */
const MOST_WAITING = 64 * 1024 * 1024;

/** Hands what encoders send in a worker on to the main process, which publishes it. */
export class RemotePublishing implements Publishing {
  readonly #line: Pick<Line<FromWorker, ToWorker>, 'write' | 'waiting'>;
  readonly #gate: Pick<RemoteDoorkeeper, 'publish'>;
  #lastStream = 0;
  #pending: Buffer[] = [];

  constructor(options: {
    line: Pick<Line<FromWorker, ToWorker>, 'write' | 'waiting'>;
    gate: Pick<RemoteDoorkeeper, 'publish'>;
  }) {
    this.#line = options.line;
    this.#gate = options.gate;
  }

  /** @throws {Refusal} as the main process's router says */
  async publish(session: Session, control: PublisherControl) {
    this.#lastStream += 1;
    const stream = this.#lastStream;
    await this.#gate.publish(session, stream);
    let ended = false;
    return {
      write: (event: MediaEvent) => {
        if (ended) return;
        this.#add(stream, event);
        if (this.#line.waiting < MOST_WAITING) return;
        control.cut(`${this.#line.waiting} bytes wait for the main process, which can't keep up`);
      },
      end: (reason: string) => {
        if (ended) return;
        ended = true;
        this.#add(stream, { type: 'end', reason });
        // Before its session is said to be over.
        this.#flush();
      },
    };
  }

  /** What comes in one turn of the event loop goes out at once. */
  #add(stream: number, frame: WireFrame): void {
    if (this.#pending.length === 0) setImmediate(() => this.#flush());
    this.#pending.push(...packFrame(stream, frame));
  }

  #flush(): void {
    const pieces = this.#pending;
    this.#pending = [];
    if (pieces.length > 0) this.#line.write(pieces);
  }
}
