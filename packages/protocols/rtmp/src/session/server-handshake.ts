import { RtmpError } from '../errors.js';
import { answerHandshake, HANDSHAKE_SIZE, type Random, RTMP_VERSION } from '../wire/handshake.js';

export interface HandshakeStep {
  /** S0, S1 and S2, once. */
  readonly answer?: Buffer;
  /** The bytes behind the handshake, when it is over. */
  readonly rest?: Buffer;
}

/** Waits for C0 and C1, answers, and waits for C2, which nobody checks. RTMP §5.2. */
export class ServerHandshake {
  readonly #random: Random;
  #input: Buffer = Buffer.alloc(0);
  #answered = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** @throws {RtmpError} `handshake`, at the first byte, so that an HTTP client or a port scanner isn't waited for */
  receive(bytes: Buffer): HandshakeStep {
    let input = Buffer.concat([this.#input, bytes]);
    let answer: Buffer | undefined;
    if (!this.#answered) {
      const first = input[0] ?? RTMP_VERSION;
      if (first !== RTMP_VERSION) {
        throw new RtmpError('handshake', `the first byte is ${first}; RTMP begins with ${RTMP_VERSION}`);
      }
      if (input.length >= 1 + HANDSHAKE_SIZE) {
        answer = answerHandshake(input, this.#random);
        this.#answered = true;
        input = input.subarray(1 + HANDSHAKE_SIZE);
      }
    }
    const answered = answer === undefined ? {} : { answer };
    if (this.#answered && input.length >= HANDSHAKE_SIZE) return { ...answered, rest: input.subarray(HANDSHAKE_SIZE) };
    this.#input = input;
    return answered;
  }
}
