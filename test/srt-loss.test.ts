import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { SrtListener, type SrtStatistics, srtCall } from '@sluice/srt';
import { afterEach, describe, expect, it } from 'vitest';
import { IS_LONG } from './support/long.js';
import { type LineOptions, LossyLink } from './support/lossy-link.js';
import { until } from './support/until.js';

/** Long runs (`npm run test:long`) show what the tests of each change can only hint at. */
const SECONDS = IS_LONG ? 60 : 6;
const TS_BYTES = 188;
const PAYLOAD_BYTES = 7 * TS_BYTES;
/** 5 Mbit/s. */
const PAYLOADS_PER_SECOND = 475;
const DELAY_MS = 40;
const JITTER_MS = 10;
/** Four round trips. */
const LATENCY_MS = 4 * 2 * (DELAY_MS + JITTER_MS);
const silent = { debug: () => {}, warn: () => {} };

/** Seven TS packets, each with its number. */
function payload(at: number): Buffer {
  const bytes = Buffer.alloc(PAYLOAD_BYTES, 0xff);
  for (let n = 0; n < 7; n++) {
    bytes.writeUInt32BE(0x471fff10, n * TS_BYTES);
    bytes.writeUInt32BE(at * 7 + n, n * TS_BYTES + 4);
  }
  return bytes;
}

/** Counts TS packets by their numbers. */
class Counter {
  readonly seen = new Set<number>();
  disordered = 0;
  #first: number | undefined;
  #last = -1;

  /** Between the first that came and the last: what the tool before the line left lying is no loss of the line. */
  get missing(): number {
    return this.#first === undefined ? 0 : this.#last - this.#first + 1 - this.seen.size;
  }

  add(bytes: Buffer): void {
    for (let at = 0; at + TS_BYTES <= bytes.length; at += TS_BYTES) {
      const number = bytes.readUInt32BE(at + 4);
      this.#first ??= number;
      if (number <= this.#last) this.disordered += 1;
      this.#last = number;
      this.seen.add(number);
    }
  }
}

/** Packet filters, and how many payloads in a row they bring back. */
const FILTERS: readonly (readonly [string, number])[] = [
  ['fec,cols:10,rows:5,layout:even,arq:never', 6],
  ...(IS_LONG
    ? ([
        ['fec,cols:10,arq:never', 1],
        ['fec,cols:10,rows:5,layout:staircase,arq:onreq', 6],
      ] as const)
    : []),
];

describe('SRT over a bad line', () => {
  const closing: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function freePort(): Promise<number> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    return port;
  }

  function tool(source: string, target: string): ChildProcess {
    const child = spawn('srt-live-transmit', ['-q', '-a:no', '-chunk:1316', source, target], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin?.on('error', () => undefined);
    closing.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    return child;
  }

  async function line(target: number, options: LineOptions): Promise<number> {
    const link = await LossyLink.open(target, options);
    closing.push(() => link.close());
    return link.port;
  }

  async function udpSink(counter: Counter): Promise<string> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 }).bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closing.push(() => void socket.close());
    socket.on('message', (bytes) => counter.add(bytes));
    return `udp://127.0.0.1:${socket.address().port}`;
  }

  /** Sends at 5 Mbit/s. @returns how many TS packets */
  async function feed(send: (bytes: Buffer) => void): Promise<number> {
    const began = performance.now();
    const total = SECONDS * PAYLOADS_PER_SECOND;
    for (let sent = 0; sent < total; ) {
      const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * PAYLOADS_PER_SECOND));
      while (sent < due) send(payload(sent++));
      await new Promise((done) => setTimeout(done, 2));
    }
    return total * 7;
  }

  const latency = `latency=${LATENCY_MS}`;
  const filtered = (packetFilter: string | undefined) =>
    packetFilter === undefined ? '' : `&packetfilter=${packetFilter}`;

  async function intoOurs(
    options: LineOptions,
    packetFilter?: string,
  ): Promise<{ lost: number; counter: Counter; statistics: SrtStatistics | undefined }> {
    const counter = new Counter();
    let statistics: (() => SrtStatistics) | undefined;
    const server = new SrtListener({
      log: silent,
      options: { receiveLatency: LATENCY_MS },
      decide: async () => ({
        open: (socket) => {
          statistics = () => socket.statistics();
          socket.serve({ payload: (bytes) => counter.add(bytes), closed: () => undefined });
        },
      }),
    });
    const port = await line(await server.listen(0, '127.0.0.1'), options);
    closing.push(() => server.close());
    const child = tool('file://con', `srt://127.0.0.1:${port}?streamid=x&${latency}${filtered(packetFilter)}`);
    await until('it is connected', () => statistics !== undefined);
    const sent = await feed((bytes) => void child.stdin?.write(bytes));
    await settled(counter, sent);
    return { lost: counter.missing, counter, statistics: statistics?.() };
  }

  async function outOfOurs(
    options: LineOptions,
    packetFilter?: string,
  ): Promise<{ lost: number; counter: Counter; statistics: SrtStatistics }> {
    const counter = new Counter();
    const target = await freePort();
    tool(`srt://127.0.0.1:${target}?mode=listener&${latency}${filtered(packetFilter)}`, await udpSink(counter));
    const port = await line(target, options);
    const call = () => srtCall({ host: '127.0.0.1', port, options: { sendLatency: LATENCY_MS, packetFilter } });
    const socket = await call().catch(call);
    closing.push(() => socket.close('done'));
    socket.serve({ payload: () => undefined, closed: () => undefined });
    const sent = await feed((bytes) => void socket.send(bytes));
    await settled(counter, sent);
    return { lost: sent - counter.seen.size, counter, statistics: socket.statistics() };
  }

  async function betweenLibsrt(options: LineOptions): Promise<number> {
    const counter = new Counter();
    const target = await freePort();
    tool(`srt://127.0.0.1:${target}?mode=listener&${latency}`, await udpSink(counter));
    const port = await line(target, options);
    const child = tool('file://con', `srt://127.0.0.1:${port}?${latency}`);
    // What is fed before they are connected is sent then.
    await new Promise((done) => setTimeout(done, 1000));
    const sent = await feed((bytes) => void child.stdin?.write(bytes));
    await settled(counter, sent);
    return counter.missing;
  }

  /** Until all have come, or no more do. */
  async function settled(counter: Counter, sent: number): Promise<void> {
    let before = -1;
    while (counter.seen.size < sent && counter.seen.size !== before) {
      before = counter.seen.size;
      await new Promise((done) => setTimeout(done, 2 * LATENCY_MS));
    }
  }

  it.each(IS_LONG ? [0.02, 0.05] : [0.05])(
    'that loses %d brings every packet in from libsrt, and out to it',
    async (loss) => {
      const options = { loss, delayMs: DELAY_MS, jitterMs: JITTER_MS };
      const [into, out] = await Promise.all([intoOurs(options), outOfOurs(options)]);
      expect([into.lost, into.counter.disordered, out.lost, out.counter.disordered]).toEqual([0, 0, 0, 0]);
      expect(into.counter.seen.size).toBeGreaterThan(SECONDS * PAYLOADS_PER_SECOND * 7 * 0.8);
      expect(into.statistics?.pktRcvRetrans).toBeGreaterThan(0);
      expect(out.statistics.pktRetrans).toBeGreaterThan(0);
    },
    200_000,
  );

  it.runIf(IS_LONG)(
    'that loses a tenth loses no more than between libsrt and libsrt',
    async () => {
      const options = { loss: 0.1, delayMs: DELAY_MS, jitterMs: JITTER_MS };
      const [into, out, theirs] = await Promise.all([intoOurs(options), outOfOurs(options), betweenLibsrt(options)]);
      // Lines are rolled with dice: a payload more or less says nothing.
      const most = theirs + 2 * 7;
      expect(into.lost).toBeLessThanOrEqual(most);
      expect(out.lost).toBeLessThanOrEqual(most);
    },
    200_000,
  );

  it.each(FILTERS)(
    'that loses what %s can repair brings everything in from libsrt, and out to it',
    async (filter, inARow) => {
      const sent = SECONDS * PAYLOADS_PER_SECOND;
      // From every hundred payloads a few in a row: no row or no column loses two.
      const losing = (): LineOptions => {
        let payloads = 0;
        const loses = (datagram: Buffer) => {
          const isPayload = (datagram[0] ?? 0) < 0x80 && (datagram.readUInt32BE(4) & 0x03ff_ffff) !== 0;
          // What is lost at the very end has no repair packet behind it.
          return isPayload && payloads++ > 100 && payloads < sent - 200 && payloads % 100 < inARow;
        };
        return { loss: 0, delayMs: DELAY_MS, jitterMs: 0, loses };
      };
      const [into, out] = await Promise.all([intoOurs(losing(), filter), outOfOurs(losing(), filter)]);
      expect([into.lost, out.lost]).toEqual([0, 0]);
      expect(into.statistics?.pktRcvFilterSupply).toBeGreaterThan(((sent * inARow) / 100) * 0.6);
      expect(out.statistics.pktSndFilterExtra).toBeGreaterThan(sent / 12);
      if (filter.includes('never')) expect([into.statistics?.pktRcvRetrans, out.statistics.pktRetrans]).toEqual([0, 0]);
    },
    200_000,
  );
});
