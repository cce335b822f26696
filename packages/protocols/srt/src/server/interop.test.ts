import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { srtCall, srtRendezvous } from '../client/caller.js';
import { REJECTION } from '../session/rejection.js';
import { SrtListener, SrtRefusal, type SrtRequest } from './listener.js';
import type { SrtSocket } from './srt-socket.js';

const TS_BYTES = 188;
const PASSPHRASE = 'a good passphrase';
const silent = { debug: () => {}, warn: () => {} };

/** MPEG-TS packets of nothing, each with a number in it. */
function numbered(count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => {
    const packet = Buffer.alloc(TS_BYTES * 7, 0xff);
    for (let n = 0; n < 7; n++) {
      packet.writeUInt32BE(0x471fff10, n * TS_BYTES);
      packet.writeUInt32BE(at * 7 + n, n * TS_BYTES + 4);
    }
    return packet;
  });
}

class Received {
  readonly payloads: Buffer[] = [];
  closed: string | undefined;
  readonly handler = {
    payload: (bytes: Buffer) => void this.payloads.push(Buffer.from(bytes)),
    closed: (reason: string) => {
      this.closed = reason;
    },
  };

  get bytes(): Buffer {
    return Buffer.concat(this.payloads);
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

describe('SRT', () => {
  const closing: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function listener(
    decide: (request: SrtRequest) => { passphrase?: string } = () => ({}),
    warn: (fields: Readonly<Record<string, unknown>>) => void = () => undefined,
  ) {
    const requests: SrtRequest[] = [];
    const sockets: SrtSocket[] = [];
    const received = new Received();
    const server = new SrtListener({
      log: { ...silent, warn },
      decide: async (request) => {
        requests.push(request);
        return {
          ...decide(request),
          open: (socket) => {
            sockets.push(socket);
            socket.serve(received.handler);
          },
        };
      },
    });
    const port = await server.listen(0, '127.0.0.1');
    closing.push(() => server.close());
    return { server, port, requests, sockets, received };
  }

  /** libsrt's own tool. */
  function liveTransmit(source: string, target: string): ChildProcess {
    const child = spawn('srt-live-transmit', ['-q', '-a:no', '-chunk:1316', source, target], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    closing.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    return child;
  }

  /** A UDP port that keeps what comes: the tool's standard output would keep some of it to itself. */
  async function udpSink(): Promise<{ url: string; bytes: () => Buffer }> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    closing.push(() => void socket.close());
    const chunks: Buffer[] = [];
    socket.on('message', (bytes) => chunks.push(bytes));
    return { url: `udp://127.0.0.1:${socket.address().port}`, bytes: () => Buffer.concat(chunks) };
  }

  async function sendPaced(packets: readonly Buffer[], send: (packet: Buffer) => void): Promise<void> {
    for (const [at, packet] of packets.entries()) {
      send(packet);
      if (at % 10 === 9) await new Promise((done) => setTimeout(done, 5));
    }
  }

  it.each([undefined, 128, 192, 256] as const)(
    'goes from a caller to a listener and back, with a key of %s bits',
    async (keyLength) => {
      const secret = keyLength === undefined ? {} : { passphrase: PASSPHRASE };
      const { port, requests, sockets, received } = await listener(() => secret);
      const call = await srtCall({
        host: '127.0.0.1',
        port,
        streamId: 'publish:live/show',
        ...(keyLength === undefined ? {} : { ...secret, keyLength }),
      });
      closing.push(() => call.close('done'));
      const back = new Received();
      call.serve(back.handler);
      expect(requests).toMatchObject([{ streamId: 'publish:live/show', encrypted: keyLength !== undefined }]);
      const packets = numbered(200);
      await sendPaced(packets, (packet) => void call.send(packet));
      await vi.waitFor(() => expect(received.payloads).toHaveLength(200), 5000);
      expect(received.bytes.equals(Buffer.concat(packets))).toBe(true);
      await sendPaced(packets, (packet) => void sockets[0]?.send(packet));
      await vi.waitFor(() => expect(back.payloads).toHaveLength(200), 5000);
      expect(back.bytes.equals(Buffer.concat(packets))).toBe(true);
      call.close('done');
      await vi.waitFor(() => expect(received.closed).toBe('closed by the peer'));
    },
  );

  it('tells a caller why it is refused', async () => {
    const server = new SrtListener({
      log: silent,
      decide: async () => {
        throw new SrtRefusal(REJECTION.unauthorized, 'no key');
      },
    });
    const port = await server.listen(0, '127.0.0.1');
    closing.push(() => server.close());
    const call = (secret: object) => srtCall({ host: '127.0.0.1', port, ...secret });
    await expect(call({})).rejects.toMatchObject({ code: 'rejected', rejection: REJECTION.unauthorized });
    const guarded = await listener(() => ({ passphrase: PASSPHRASE }));
    const callGuarded = (secret: object) => srtCall({ host: '127.0.0.1', port: guarded.port, ...secret });
    await expect(callGuarded({ passphrase: 'another passphrase' })).rejects.toMatchObject({
      rejection: REJECTION.badSecret,
    });
    await expect(callGuarded({})).rejects.toMatchObject({ rejection: REJECTION.unsecure });
    await expect(srtCall({ host: '127.0.0.1', port: await freePort(), timeoutMs: 300 })).rejects.toMatchObject({
      code: 'time-out',
    });
  });

  it.each(['', '&passphrase=a good passphrase&pbkeylen=16', '&passphrase=a good passphrase&pbkeylen=32'])(
    'takes what libsrt sends%s',
    async (options) => {
      const { port, requests, received } = await listener(() => (options === '' ? {} : { passphrase: PASSPHRASE }));
      const child = liveTransmit('file://con', `srt://127.0.0.1:${port}?streamid=publish:live/show${options}`);
      await vi.waitFor(() => expect(requests).toMatchObject([{ streamId: 'publish:live/show' }]), 5000);
      const packets = numbered(300);
      await sendPaced(packets, (packet) => void child.stdin?.write(packet));
      await vi.waitFor(() => expect(received.bytes.length).toBe(300 * 1316), 8000);
      expect(received.bytes.equals(Buffer.concat(packets))).toBe(true);
    },
    20_000,
  );

  it.each(['', '&passphrase=a good passphrase&pbkeylen=24'])(
    'sends what libsrt takes%s',
    async (options) => {
      const { port, sockets } = await listener(() => (options === '' ? {} : { passphrase: PASSPHRASE }));
      const sink = await udpSink();
      liveTransmit(`srt://127.0.0.1:${port}?streamid=read:live/show${options}`, sink.url);
      await vi.waitFor(() => expect(sockets).toHaveLength(1), 5000);
      const packets = numbered(300);
      await sendPaced(packets, (packet) => void sockets[0]?.send(packet));
      await vi.waitFor(() => expect(sink.bytes().length).toBe(300 * 1316), 8000);
      expect(sink.bytes().equals(Buffer.concat(packets))).toBe(true);
    },
    20_000,
  );

  it('calls a listener of libsrt, and is told by it that the passphrase is wrong', async () => {
    const port = await freePort();
    const sink = await udpSink();
    liveTransmit(`srt://127.0.0.1:${port}?mode=listener&passphrase=${PASSPHRASE}`, sink.url);
    const call = () => srtCall({ host: '127.0.0.1', port, passphrase: 'another passphrase', timeoutMs: 1000 });
    await vi.waitFor(
      () => expect(call()).rejects.toMatchObject({ code: 'rejected', rejection: REJECTION.badSecret }),
      5000,
    );
    const socket = await srtCall({ host: '127.0.0.1', port, passphrase: PASSPHRASE, keyLength: 256 });
    closing.push(() => socket.close('done'));
    socket.serve(new Received().handler);
    const packets = numbered(300);
    await sendPaced(packets, (packet) => void socket.send(packet));
    await vi.waitFor(() => expect(sink.bytes().length).toBe(300 * 1316), 8000);
    expect(sink.bytes().equals(Buffer.concat(packets))).toBe(true);
  }, 20_000);

  it.each(['', '&passphrase=a good passphrase&pbkeylen=32'])(
    'meets libsrt in rendezvous%s',
    async (options) => {
      const [port, localPort] = [await freePort(), await freePort()];
      const sink = await udpSink();
      const theirs = `srt://127.0.0.1:${localPort}?mode=rendezvous&port=${port}${options}`;
      const secret = options === '' ? {} : ({ passphrase: PASSPHRASE, keyLength: 256 } as const);
      liveTransmit(theirs, sink.url);
      const socket = await srtRendezvous({ host: '127.0.0.1', port, localPort, timeoutMs: 8000, ...secret });
      closing.push(() => socket.close('done'));
      socket.serve(new Received().handler);
      const packets = numbered(300);
      await sendPaced(packets, (packet) => void socket.send(packet));
      await vi.waitFor(() => expect(sink.bytes().length).toBe(300 * 1316), 8000);
      expect(sink.bytes().equals(Buffer.concat(packets))).toBe(true);
    },
    20_000,
  );

  it('meets itself in rendezvous, whichever side begins', async () => {
    for (let round = 0; round < 4; round++) {
      const [one, other] = [await freePort(), await freePort()];
      const secret = { host: '127.0.0.1', passphrase: PASSPHRASE };
      const [a, b] = await Promise.all([
        srtRendezvous({ ...secret, port: one, localPort: other }),
        srtRendezvous({ ...secret, port: other, localPort: one }),
      ]);
      const [atA, atB] = [new Received(), new Received()];
      a.serve(atA.handler);
      b.serve(atB.handler);
      for (const packet of numbered(20)) for (const side of [a, b]) side.send(packet);
      await vi.waitFor(() => expect([atA.payloads.length, atB.payloads.length]).toEqual([20, 20]), 5000);
      a.close('done');
      await vi.waitFor(() => expect(atB.closed).toBe('closed by the peer'));
    }
  });

  it('follows libsrt over its changes of key', async () => {
    const { port, received, sockets } = await listener(() => ({ passphrase: PASSPHRASE }));
    const refresh = '&kmrefreshrate=400&kmpreannounce=100';
    const url = `srt://127.0.0.1:${port}?streamid=x&passphrase=${PASSPHRASE}&pbkeylen=16${refresh}`;
    const child = liveTransmit('file://con', url);
    await vi.waitFor(() => expect(sockets).toHaveLength(1), 5000);
    const packets = numbered(1500);
    await sendPaced(packets, (packet) => void child.stdin?.write(packet));
    await vi.waitFor(() => expect(received.bytes.length).toBe(1500 * 1316), 8000);
    expect(received.bytes.equals(Buffer.concat(packets))).toBe(true);
    expect(sockets[0]?.statistics().pktRcvUndecrypt).toBe(0);
  }, 20_000);

  it('changes its key while libsrt listens', async () => {
    const port = await freePort();
    const sink = await udpSink();
    liveTransmit(`srt://127.0.0.1:${port}?mode=listener&passphrase=${PASSPHRASE}`, sink.url);
    const keyRefresh = { packets: 400, preAnnounce: 100 };
    const call = () => srtCall({ host: '127.0.0.1', port, passphrase: PASSPHRASE, options: { keyRefresh } });
    const socket = await call().catch(call);
    closing.push(() => socket.close('done'));
    socket.serve(new Received().handler);
    const packets = numbered(1500);
    await sendPaced(packets, (packet) => void socket.send(packet));
    await vi.waitFor(() => expect(sink.bytes().length).toBe(1500 * 1316), 8000);
    expect(sink.bytes().equals(Buffer.concat(packets))).toBe(true);
  }, 20_000);

  it('tells who wants to send files, or a stream of bytes, that this is a place for live', async () => {
    const refused: string[] = [];
    const { port, requests } = await listener(undefined, (fields) => refused.push(String(fields.code)));
    const child = spawn('srt-file-transmit', ['file:///etc/hostname', `srt://127.0.0.1:${port}`], { stdio: 'ignore' });
    closing.push(() => void child.kill('SIGKILL'));
    await vi.waitFor(() => expect(refused).toContain('messageApi'), 5000);
    expect(requests).toEqual([]);
  });
});
