import type { Remote } from '../session/ice-lite.js';
import { STUN_TYPE, type StunMessage, writeStun } from '../wire/stun.js';

export interface MappedAddress {
  readonly address: string;
  readonly port: number;
}

interface Question {
  readonly to: Remote;
  readonly answer: (mapped: MappedAddress | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

/** RFC 8489 §6.2.1, shortened: who doesn't answer within 3.5 seconds is not asked any more. */
const FIRST_WAIT_MS = 500;
const TRIES = 3;
const TRANSACTION_BYTES = 12;

/** Asks STUN servers from which address they see a port, by that port itself. */
export class AddressDiscovery {
  readonly #random: (bytes: number) => Buffer;
  readonly #send: (datagram: Buffer, to: Remote) => void;
  readonly #questions = new Map<string, Question>();

  constructor(random: (bytes: number) => Buffer, send: (datagram: Buffer, to: Remote) => void) {
    this.#random = random;
    this.#send = send;
  }

  /** @returns undefined where no answer comes */
  ask(to: Remote): Promise<MappedAddress | undefined> {
    const transaction = this.#random(TRANSACTION_BYTES);
    const request = writeStun({ type: STUN_TYPE.bindingRequest, transaction });
    return new Promise((answer) => {
      const attempt = (left: number, waitMs: number): void => {
        if (left === 0) {
          this.#end(transaction, undefined);
          return;
        }
        this.#send(request, to);
        const timer = setTimeout(() => attempt(left - 1, waitMs * 2), waitMs);
        this.#questions.set(transaction.toString('hex'), { to, answer, timer });
      };
      attempt(TRIES, FIRST_WAIT_MS);
    });
  }

  /** Takes what isn't a request; only the answer of who was asked counts. */
  receive({ type, transaction, mappedAddress }: StunMessage, from: Remote): void {
    const question = this.#questions.get(transaction.toString('hex'));
    if (question === undefined || question.to.address !== from.address || question.to.port !== from.port) return;
    this.#end(transaction, type === STUN_TYPE.bindingSuccess ? mappedAddress : undefined);
  }

  close(): void {
    for (const key of [...this.#questions.keys()]) this.#end(Buffer.from(key, 'hex'), undefined);
  }

  #end(transaction: Buffer, mapped: MappedAddress | undefined): void {
    const key = transaction.toString('hex');
    const question = this.#questions.get(key);
    if (question === undefined) return;
    clearTimeout(question.timer);
    this.#questions.delete(key);
    question.answer(mapped);
  }
}
