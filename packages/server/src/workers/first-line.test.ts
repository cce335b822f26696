import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FirstLine, readFirstLine } from './first-line.js';

describe('readFirstLine', () => {
  let server: Server;
  let client: Socket;
  let accepted: Socket;
  beforeEach(async () => {
    server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    [accepted] = (await once(server, 'connection')) as [Socket];
  });
  afterEach(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });

  const first = () =>
    new Promise<FirstLine>((resolve) => {
      readFirstLine(accepted, resolve);
      accepted.resume();
    });

  it('gives a line that comes in pieces, with all that has been read', async () => {
    const reading = first();
    client.write('GET /live');
    await once(accepted, 'data');
    client.write('/show.flv HTTP/1.1\r\nHost: a\r\n');
    const { line, bytes } = await reading;
    expect(line).toBe('GET /live/show.flv HTTP/1.1\r');
    expect(bytes.toString()).toBe('GET /live/show.flv HTTP/1.1\r\nHost: a\r\n');
  });

  it('reads nothing behind that until somebody else does, and then all of it', async () => {
    const reading = first();
    client.write('GET / HTTP/1.1\r\n');
    const { bytes } = await reading;
    const rest = Buffer.alloc(300_000, 'x');
    client.write(rest);
    await new Promise((resolve) => setImmediate(resolve));
    expect([accepted.readableLength, accepted.bytesRead]).toEqual([0, bytes.length]);
    accepted.unshift(bytes);
    let got = 0;
    accepted.on('data', (piece: Buffer) => {
      got += piece.length;
      if (got === bytes.length + rest.length) accepted.emit('all');
    });
    accepted.resume();
    await once(accepted, 'all');
  });

  it('gives up a line that has no end', async () => {
    const reading = first();
    client.write('x'.repeat(20_000));
    const { line, bytes } = await reading;
    expect([line, bytes.length > 16_384]).toEqual(['', true]);
  });

  it('lets go of a client that leaves', async () => {
    let isCalled = false;
    readFirstLine(accepted, () => {
      isCalled = true;
    });
    accepted.resume();
    client.destroy();
    await once(accepted, 'close');
    expect([isCalled, accepted.destroyed]).toEqual([false, true]);
  });
});
