import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect, isIP, isIPv6 } from 'node:net';
import { type Finding, failed, ok, warning } from '@sluice/core';
import type { Door } from '../network/doors.js';
import { StartError } from '../start-error.js';
import { srtAnswers } from './datagram.js';
import { FULL_PROBE_BYTES, LEAST_PROBE_BYTES, readProbe, writeProbe } from './probe-message.js';

const TIMEOUT_MS = 3000;
const REPEAT_MS = 250;
const DOCTOR_THERE = 'while Sluice is stopped, run `sluice doctor --listen` there, with the same ports';

/**
 * Tells which ports of another machine can be reached from here.
 *
 * @param host a name or an address
 * @param words.option of the command line, that names the host
 * @param words.listenThere how probes are sent back there, for who gets no answer
 * @throws {StartError} where the name isn't found
 */
export async function probe(
  host: string,
  doors: readonly Door[],
  { option = '--probe', listenThere = DOCTOR_THERE }: { readonly option?: string; readonly listenThere?: string } = {},
): Promise<Finding[]> {
  const address = await addressOf(host, option);
  return Promise.all(
    doors.map((door) =>
      door.protocol === 'tcp' ? probeTcp(address, door, listenThere) : probeUdp(address, door, listenThere),
    ),
  );
}

async function addressOf(host: string, option: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new StartError(`${option} ${host}: the name is not found (${(error as NodeJS.ErrnoException).code})`);
  }
}

const nameOf = ({ name, protocol, port }: Door): string => `${name}, ${protocol} ${port}`;

async function probeTcp(address: string, door: Door, listenThere: string): Promise<Finding> {
  const check = nameOf(door);
  const outcome = await tryTcp(address, door.port);
  if (outcome === 'echoed') return ok(check, 'got through');
  if (outcome === 'connected') return ok(check, 'got through: something takes connections there');
  if (outcome === 'ECONNREFUSED') {
    return failed(check, 'refused: nobody listens there, or a firewall refuses it', `Let it in; ${listenThere}.`);
  }
  if (outcome === 'timeout') {
    return failed(check, 'no answer: a firewall drops it on the way', `Let tcp ${door.port} in there, and out here.`);
  }
  return failed(check, outcome, 'Is there a way to that address?');
}

/** @returns how far it got, or the system's code */
function tryTcp(address: string, port: number): Promise<string> {
  const token = randomBytes(LEAST_PROBE_BYTES);
  const request = writeProbe({ kind: 'probe', token });
  const socket = connect({ host: address, port });
  let isConnected = false;
  let received = Buffer.alloc(0);
  return new Promise<string>((done) => {
    const timer = setTimeout(() => settle(isConnected ? 'connected' : 'timeout'), TIMEOUT_MS);
    const settle = (outcome: string): void => {
      clearTimeout(timer);
      socket.destroy();
      done(outcome);
    };
    socket.on('connect', () => {
      isConnected = true;
      socket.write(request);
    });
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < LEAST_PROBE_BYTES) return;
      const answer = readProbe(received);
      settle(answer?.kind === 'echo' && answer.token.equals(token.subarray(0, 16)) ? 'echoed' : 'connected');
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(isConnected ? 'connected' : (error.code ?? error.message)),
    );
    socket.on('close', () => settle('connected'));
  });
}

async function probeUdp(address: string, door: Door, listenThere: string): Promise<Finding> {
  const check = nameOf(door);
  const target = { address, port: door.port };
  const [echo, isSrt] = await Promise.all([
    tryUdp(target),
    door.name === 'SRT' ? srtAnswers(target, TIMEOUT_MS) : false,
  ]);
  if (echo.fault !== undefined) return failed(check, echo.fault, 'Is there a way to that address?');
  if (echo.sizes.has(FULL_PROBE_BYTES)) return ok(check, 'got through');
  if (echo.sizes.size > 0) {
    return warning(
      check,
      `small packets get through, those of ${FULL_PROBE_BYTES} bytes do not`,
      'A tunnel or a firewall on the way drops large ones: raise its MTU to 1400 or more, and let ICMP through.',
    );
  }
  if (isSrt) return ok(check, 'got through: SRT answers');
  if (echo.isRefused) {
    return failed(check, 'arrives, and nobody listens there', `Is Sluice running? Else, ${listenThere}.`);
  }
  return failed(
    check,
    'no answer: a firewall drops it on the way, or nobody sends it back',
    `A running WebRTC port answers peers only: ${listenThere}. Then, let udp ${door.port} in there, and out here.`,
  );
}

interface UdpOutcome {
  /** Of the probes that came back. */
  readonly sizes: ReadonlySet<number>;
  readonly isRefused: boolean;
  /** The system's code, where nothing could be sent at all. */
  readonly fault: string | undefined;
}

async function tryUdp({ address, port }: { address: string; port: number }): Promise<UdpOutcome> {
  const token = randomBytes(16);
  const wanted = [LEAST_PROBE_BYTES, FULL_PROBE_BYTES];
  const sizes = new Set<number>();
  let isRefused = false;
  let isConnected = false;
  let fault: string | undefined;
  let repeat: NodeJS.Timeout | undefined;
  let timeout: NodeJS.Timeout | undefined;
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  await new Promise<void>((done) => {
    // A connected socket is told when nobody listens. Another datagram may still get an answer.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      isRefused ||= error.code === 'ECONNREFUSED';
      if (isConnected) return;
      fault = error.code ?? error.message;
      done();
    });
    socket.on('message', (bytes) => {
      const answer = readProbe(bytes);
      if (answer?.kind !== 'echo' || !answer.token.equals(token)) return;
      sizes.add(bytes.length);
      if (wanted.every((size) => sizes.has(size))) done();
    });
    const send = (): void => {
      // Refusals come as errors of a later send, too.
      for (const size of wanted) {
        socket.send(writeProbe({ kind: 'probe', token }, size), (error) => {
          isRefused ||= (error as NodeJS.ErrnoException | null)?.code === 'ECONNREFUSED';
        });
      }
    };
    timeout = setTimeout(done, TIMEOUT_MS);
    // With a callback, that would be given the error, and no event come.
    socket.connect(port, address);
    socket.once('connect', () => {
      isConnected = true;
      repeat = setInterval(send, REPEAT_MS);
      send();
    });
  });
  clearInterval(repeat);
  clearTimeout(timeout);
  socket.close();
  return { sizes, isRefused, fault };
}
