import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Http2Sessions } from './http2-sessions.js';

describe('Http2Sessions', () => {
  let now = 0;
  let server: Http2Server;
  let sessions: Http2Sessions;
  let client: ClientHttp2Session;
  const onAbuse = vi.fn();

  beforeEach(async () => {
    now = 0;
    onAbuse.mockReset();
    sessions = new Http2Sessions({ now: () => now, onAbuse });
    server = createServer({ settings: { initialWindowSize: 65_535 } });
    server.on('session', (session) => sessions.add(session));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('error', () => undefined);
    await once(client, 'remoteSettings');
  });
  afterEach(() => {
    client.destroy();
    sessions.destroy();
    server.close();
  });

  const isClosed = () => vi.waitFor(() => expect(client.destroyed).toBe(true));

  it('closes a connection on which nothing is asked, and none before its time', async () => {
    now = 29_000;
    sessions.sweep();
    expect(client.closed).toBe(false);
    now = 30_000;
    sessions.sweep();
    await isClosed();
    expect(sessions.size).toBe(0);
  });

  it('keeps one with an answer under way for as long as it shows signs of life', async () => {
    server.on('stream', (stream) => stream.respond({ ':status': 200 }));
    const stream = client.request({ ':path': '/' });
    await once(stream, 'response');
    const pinged = vi.fn();
    client.on('ping', pinged);
    for (now = 30_000; now <= 300_000; now += 30_000) {
      const before = pinged.mock.calls.length;
      sessions.sweep();
      await vi.waitFor(() => expect(pinged.mock.calls.length).toBeGreaterThan(before));
      // The answer to the ping is on its way behind this one.
      await new Promise<void>((resolve) => client.ping(() => resolve()));
    }
    expect(client.destroyed).toBe(false);
    stream.close();
    await once(stream, 'close');
    await vi.waitFor(() => {
      now += 30_000;
      sessions.sweep();
      expect(client.destroyed).toBe(true);
    });
  });

  it('gives up an answer that nobody takes, and keeps the connection', async () => {
    server.on('stream', (stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] === '/long') stream.end(Buffer.alloc(1024 * 1024));
      else stream.write('endless');
    });
    const endless = client.request({ ':path': '/endless' });
    const long = client.request({ ':path': '/long' });
    await once(long, 'response');
    long.pause();
    for (now = 0; now < 120_000; now += 20_000) {
      sessions.sweep();
      await new Promise<void>((resolve) => client.ping(() => resolve()));
    }
    expect(long.closed).toBe(false);
    sessions.sweep();
    await vi.waitFor(() => expect(long.rstCode).toBe(constants.NGHTTP2_CANCEL));
    expect([endless.closed, client.destroyed]).toEqual([false, false]);
  });

  it('cuts one whose line is dead', async () => {
    server.on('stream', (stream) => stream.respond({ ':status': 200 }));
    await once(client.request({ ':path': '/' }), 'response');
    // The sweep asks for a sign of life, and the next one comes before any answer could.
    sessions.sweep();
    expect(sessions.size).toBe(1);
    now = 30_000;
    sessions.sweep();
    await vi.waitFor(() => expect(sessions.size).toBe(0));
  });

  it('counts what asks for nothing by the time it takes', async () => {
    const ping = () => new Promise<void>((resolve) => void client.ping(() => resolve()));
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 400; count++) await ping();
      sessions.sweep();
    }
    expect(onAbuse).not.toHaveBeenCalled();
    await vi.waitFor(
      () => {
        if (!client.destroyed) for (let count = 0; count < 8; count++) client.ping(() => undefined);
        expect(client.destroyed).toBe(true);
      },
      { interval: 2, timeout: 5000 },
    );
    expect(onAbuse).toHaveBeenCalledOnce();
  });
});
