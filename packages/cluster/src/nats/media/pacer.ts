import type { NatsConnection } from '@nats-io/transport-node';

export interface PacerOptions {
  /** Bytes that may be on their way to NATS at a time. */
  readonly mostBytes: number;
  /** There is room again, after there was none. */
  readonly onRoom: () => void;
}

/**
 * Knows how much is on its way to the NATS server: the client takes whatever it is given, into memory. The server answers
 * a ping when it has read all that was sent before.
 */
export class Pacer {
  readonly #options: PacerOptions;
  #connection: NatsConnection | undefined;
  #sent = 0;
  #confirmed = 0;
  #isAsking = false;
  #isFull = false;

  constructor(options: PacerOptions) {
    this.#options = options;
  }

  /** Whether more may be sent. */
  get hasRoom(): boolean {
    return this.#connection !== undefined && this.#sent - this.#confirmed <= this.#options.mostBytes;
  }

  /** Bytes that were sent in all. */
  get sent(): number {
    return this.#sent;
  }

  up(connection: NatsConnection): void {
    this.#connection = connection;
    this.#confirmed = this.#sent;
    this.#isAsking = false;
    this.#free();
  }

  down(): void {
    this.#connection = undefined;
    this.#isFull = true;
  }

  /** @returns whether more may be sent; after a no, `onRoom` is called when it is so again */
  publish(subject: string, message: Uint8Array): boolean {
    const connection = this.#connection;
    if (connection === undefined) return false;
    connection.publish(subject, message);
    this.#sent += message.length;
    if (!this.#isAsking) void this.#ask(connection);
    this.#isFull = !this.hasRoom;
    return !this.#isFull;
  }

  /** Never rejects: a connection that is lost is told of elsewhere. */
  async #ask(connection: NatsConnection): Promise<void> {
    this.#isAsking = true;
    while (this.#connection === connection && this.#confirmed < this.#sent) {
      const mark = this.#sent;
      try {
        await connection.flush();
      } catch {
        break;
      }
      if (this.#connection !== connection) return;
      this.#confirmed = mark;
      this.#free();
    }
    this.#isAsking = false;
  }

  #free(): void {
    if (!this.#isFull || !this.hasRoom) return;
    this.#isFull = false;
    this.#options.onRoom();
  }
}
