import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { isKnockAnswer, writeKnock } from '@sluice/srt';

const REPEAT_MS = 200;
const TOKEN_BYTES = 32;

interface Target {
  readonly address: string;
  readonly port: number;
}

/**
 * Opens a UDP port, sends a datagram to an address that should lead to it, and waits for that.
 *
 * @param port that is free, and where to open it
 * @returns whether it arrived
 */
export async function arrivesAt(
  address: string,
  { port, host }: { readonly port: number; readonly host: string },
  timeoutMs: number,
): Promise<boolean> {
  const token = randomBytes(TOKEN_BYTES);
  const receiver = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  await new Promise<void>((done, fail) => {
    receiver.once('error', fail);
    receiver.bind({ port, address: host, exclusive: true }, () => {
      receiver.off('error', fail);
      done();
    });
  }).catch((error: unknown) => {
    receiver.close();
    throw error;
  });
  try {
    const { port: own } = receiver.address();
    return await exchange({ address, port: own }, token, receiver, (datagram) => datagram.equals(token), timeoutMs);
  } finally {
    receiver.close();
  }
}

/** Whether an SRT listener answers there. */
export async function srtAnswers(target: Target, timeoutMs: number): Promise<boolean> {
  const id = randomInt(1, 0x3fff_ffff);
  return exchange(target, writeKnock(id), undefined, (datagram) => isKnockAnswer(datagram, id), timeoutMs);
}

/**
 * Sends a datagram, again and again, until what is waited for has come or time is over.
 *
 * @param receiver where it comes to; by default the socket that sends
 */
async function exchange(
  { address, port }: Target,
  datagram: Buffer,
  receiver: Socket | undefined,
  isIt: (datagram: Buffer) => boolean,
  timeoutMs: number,
): Promise<boolean> {
  const sender = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' });
  const source = receiver ?? sender;
  let repeat: NodeJS.Timeout | undefined;
  let timeout: NodeJS.Timeout | undefined;
  const came = await new Promise<boolean>((done) => {
    source.on('message', (bytes) => {
      if (isIt(bytes)) done(true);
    });
    sender.on('error', () => done(false));
    // What can't be sent, a route that is missing, does not arrive: that is the answer.
    const send = () => sender.send(datagram, port, address, () => undefined);
    repeat = setInterval(send, REPEAT_MS);
    timeout = setTimeout(() => done(false), timeoutMs);
    send();
  });
  clearInterval(repeat);
  clearTimeout(timeout);
  sender.close();
  return came;
}
