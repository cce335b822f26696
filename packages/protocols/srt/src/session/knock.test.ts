import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SrtListener } from '../server/listener.js';
import { isKnockAnswer, writeKnock } from './knock.js';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

it('is answered by a listener, which asks nobody about it', async () => {
  const decide = () => Promise.reject(new Error('nobody is to be asked'));
  const listener = new SrtListener({ decide, log: silent });
  const port = await listener.listen(0, '127.0.0.1');
  const socket = createSocket('udp4');
  const answer = new Promise<Buffer>((done) => socket.once('message', done));
  socket.send(writeKnock(77), port, '127.0.0.1');
  const datagram = await answer;
  expect(isKnockAnswer(datagram, 77)).toBe(true);
  expect(isKnockAnswer(datagram, 78)).toBe(false);
  expect(isKnockAnswer(writeKnock(77), 77)).toBe(false);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 64 }), (bytes, kept) => {
      isKnockAnswer(Buffer.concat([datagram.subarray(0, kept), Buffer.from(bytes)]), 77);
    }),
  );
  socket.close();
  await listener.close();
  expect(listener.connections).toBe(0);
});
