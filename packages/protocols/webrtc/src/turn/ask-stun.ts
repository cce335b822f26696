import { randomBytes } from 'node:crypto';
import { WebRtcError } from '../errors.js';
import { readStun, STUN_TYPE, type TransportAddress, writeStun } from '../wire/stun.js';
import { openLine, unreachable } from './line.js';
import { StunTransaction } from './transaction.js';

const TICK_MS = 50;

/**
 * Asks a STUN server, over UDP, where it sees us, RFC 8489 §2.
 *
 * @returns the address it sees, and the one that it was asked from; they differ behind NAT
 * @throws {WebRtcError} `unreachable` where it doesn't answer in time
 */
export async function askStunServer(options: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}): Promise<{ readonly seen: TransportAddress; readonly local: TransportAddress }> {
  const { host, port, timeoutMs } = options;
  const transaction = randomBytes(12);
  let answered: (seen: TransportAddress) => void = () => undefined;
  let failed: (error: WebRtcError) => void = () => undefined;
  const answer = new Promise<TransportAddress>((done, fail) => {
    answered = done;
    failed = fail;
  });
  // It may fail while the line is being opened, when nobody waits for it yet.
  answer.catch(() => undefined);
  const line = await openLine(
    { host, port, transport: 'udp', isSecure: false },
    {
      bytes: (bytes) => {
        const seen = mappedIn(bytes, transaction);
        if (seen !== undefined) answered(seen);
      },
      failed: (detail) => failed(unreachable(detail)),
    },
    timeoutMs,
  );
  const request = writeStun({ type: STUN_TYPE.bindingRequest, transaction });
  const asking = new StunTransaction({ request, isReliable: false, now: performance.now(), timeoutMs });
  const tick = (): void => {
    const due = asking.poll(performance.now());
    if (due === 'send') line.send(request);
    if (due === 'give-up') failed(unreachable('no answer'));
  };
  const timer = setInterval(tick, TICK_MS);
  tick();
  try {
    return { seen: await answer, local: line.local };
  } finally {
    clearInterval(timer);
    line.close();
  }
}

function mappedIn(bytes: Buffer, transaction: Buffer): TransportAddress | undefined {
  try {
    const message = readStun(bytes);
    const isAnswer = message.type === STUN_TYPE.bindingSuccess && message.transaction.equals(transaction);
    return isAnswer ? message.mappedAddress : undefined;
  } catch (error) {
    // Not the answer; that may still come.
    if (error instanceof WebRtcError) return undefined;
    throw error;
  }
}
