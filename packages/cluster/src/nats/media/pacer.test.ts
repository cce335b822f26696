import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.js';

/** A NATS server that says when it has read what was sent. */
function slowServer() {
  const answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const connection = {
    publish: () => undefined,
    flush: () => new Promise<void>((resolve, reject) => answers.push({ resolve, reject })),
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { connection: connection as unknown as NatsConnection, answers, turn };
}

describe('Pacer', () => {
  it('lets so much be on its way, and more when the server has read it', async () => {
    const { connection, answers, turn } = slowServer();
    let rooms = 0;
    const pacer = new Pacer({ mostBytes: 100, onRoom: () => (rooms += 1) });
    expect(pacer.publish('a', Buffer.alloc(10))).toBe(false);
    pacer.up(connection);
    const sent = [60, 40, 1].map((length) => pacer.publish('a', Buffer.alloc(length)));
    expect([sent, pacer.hasRoom, rooms]).toEqual([[true, true, false], false, 0]);
    // The first question was asked behind the first message.
    answers.shift()?.resolve();
    await turn();
    expect([pacer.hasRoom, rooms]).toEqual([true, 1]);
    answers.shift()?.resolve();
    await turn();
    expect([answers.length, pacer.sent]).toEqual([0, 101]);
  });

  it('begins anew with a new connection, whatever became of the last one', async () => {
    const { connection, answers, turn } = slowServer();
    let rooms = 0;
    const pacer = new Pacer({ mostBytes: 100, onRoom: () => (rooms += 1) });
    pacer.up(connection);
    pacer.publish('a', Buffer.alloc(200));
    pacer.down();
    answers.shift()?.reject(new Error('closed'));
    await turn();
    expect(pacer.hasRoom).toBe(false);
    const next = slowServer();
    pacer.up(next.connection);
    expect([pacer.hasRoom, rooms, pacer.publish('a', Buffer.alloc(50))]).toEqual([true, 1, true]);
    expect(next.answers).toHaveLength(1);
  });
});
