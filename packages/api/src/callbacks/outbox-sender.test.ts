import { type Config, loadConfig, silentLogger } from '@sluice/core';
import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallbackServer } from '../../../../test/support/callback-server.js';
import { MemoryOutbox } from '../../../../test/support/memory-outbox.js';
import { until } from '../../../../test/support/until.js';
import { CallbackClient } from './callback-client.js';
import { OutboxSender, type OutboxSenderOptions } from './outbox-sender.js';

describe('OutboxSender', () => {
  const closing: (() => Promise<unknown>)[] = [];
  let server: CallbackServer;
  let outbox: MemoryOutbox;
  let logged: { level: string; message: string; fields: Record<string, unknown> }[];
  let wall: number;
  beforeEach(async () => {
    server = await CallbackServer.start();
    outbox = new MemoryOutbox();
    logged = [];
    wall = 1_700_000_000_000;
    closing.push(() => server.close());
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const settings = (text = ''): Config['callbacks'] =>
    loadConfig({ file: { name: 't', text: `callbacks: { ${text} }` } }).callbacks;
  const log = {
    ...silentLogger,
    warn: (fields: object, message: string) => logged.push({ level: 'warn', message, fields: { ...fields } }),
    error: (fields: object, message: string) => logged.push({ level: 'error', message, fields: { ...fields } }),
  };

  function senderWith(over: Partial<OutboxSenderOptions> = {}) {
    const clock = { monotonic: () => millis(0), wall: () => millis(wall) };
    const client = new CallbackClient({ clock });
    const delays = { firstMs: 1, longestMs: 10 };
    const current = settings('retrySeconds: 60, timeoutMs: 5000');
    const sender = new OutboxSender({ outbox, client, settings: () => current, clock, log, delays, ...over });
    closing.push(
      () => client.close(),
      () => sender.close(),
    );
    return sender;
  }

  const texts = () => server.received.map(({ text }) => text);
  const isEmpty = async () => (await outbox.count()) === 0;

  it('delivers to a URL in order, one after the other, and forgets what was taken', async () => {
    let underWay = 0;
    let most = 0;
    server.answer = async () => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return { body: '0' };
    };
    const sender = senderWith();
    const bodies = Array.from({ length: 120 }, (_, index) => String(index));
    for (const body of bodies) sender.send(server.url(), body);
    await until('all were delivered', isEmpty);
    expect(texts()).toEqual(bodies);
    expect(most).toBe(1);
  });

  it('tries again what failed, ahead of what came later, and counts the attempts', async () => {
    let fails = 3;
    server.answer = () => (fails-- > 0 ? { status: 503 } : { body: '0' });
    const sender = senderWith({ clock: { monotonic: () => millis(0), wall: () => millis(wall++) } });
    sender.send(server.url(), 'first');
    sender.send(server.url(), 'second');
    await until('all were delivered', isEmpty);
    expect(texts()).toEqual(['first', 'first', 'first', 'first', 'second']);
    expect(logged.map(({ message }) => message)).toEqual(['a callback failed, and is tried again']);
  });

  it('does not let a dead URL hold up others', async () => {
    const dead = await CallbackServer.start();
    const url = dead.url('/dead');
    await dead.close();
    const sender = senderWith();
    for (let count = 0; count < 200; count++) sender.send(url, 'lost');
    sender.send(server.url(), 'news');
    await until('the news arrived', () => texts().includes('news'));
    expect(await outbox.oldest(url, 1000)).toHaveLength(200);
  });

  it('takes up after a restart what was left, in the same order', async () => {
    server.answer = () => 'never';
    const first = senderWith({ settings: () => settings('timeoutMs: 20, retrySeconds: 60') });
    first.send(server.url(), 'one');
    first.send(server.url(), 'two');
    await until('an attempt was made', () => [...outbox.items.values()].some(({ attempts }) => attempts > 0));
    await first.close();
    expect(await outbox.count()).toBe(2);
    server.received.length = 0;
    server.answer = () => ({ body: '0' });
    wall += 1000;
    await senderWith().start();
    await until('all were delivered', isEmpty);
    expect(texts()).toEqual(['one', 'two']);
  });

  it('waits after a restart for the time of what failed before it', async () => {
    const item = { headers: {}, createdAt: millis(wall), attempts: 1 };
    const [held, due] = [server.url('/held'), server.url('/due')];
    await outbox.put({ ...item, id: '1', url: held, body: 'held', nextAt: millis(wall + 60_000) });
    await outbox.put({ ...item, id: '2', url: due, body: 'due', nextAt: millis(wall) });
    const sender = senderWith();
    await sender.start();
    await until('the other was delivered', () => texts().includes('due'));
    await sender.close();
    expect(texts()).toEqual(['due']);
    expect(outbox.items.get('1')).toMatchObject({ attempts: 1 });
  });

  it('keeps what is put while it closes, and asks nobody any more', async () => {
    let answered = () => {};
    server.answer = () => new Promise((resolve) => (answered = () => resolve({ body: '0' })));
    const sender = senderWith();
    sender.send(server.url(), 'under way');
    sender.send(server.url(), 'waiting');
    await until('the first is under way', () => server.received.length === 1);
    let isClosed = false;
    const closed = sender.close().then(() => {
      isClosed = true;
    });
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    answered();
    await closed;
    expect([...outbox.items.values()].map(({ body }) => body)).toEqual(['waiting']);
    expect(texts()).toEqual(['under way']);
  });

  it('gives up what was not taken in time, and what has grown too old behind it', async () => {
    server.answer = () => ({ status: 500 });
    const sender = senderWith();
    sender.send(server.url(), 'old');
    sender.send(server.url(), 'as old');
    await until('an attempt was made', () => server.received.length > 0);
    wall += 59_000;
    await until('it was tried in time', () => server.received.length > 1);
    wall += 2000;
    await until('they were given up', isEmpty);
    expect(texts()).not.toContain('as old');
    expect(logged.map(({ message }) => message)).toContain('callbacks were given up');
    server.answer = () => ({ body: '0' });
    sender.send(server.url(), 'new');
    await until('the URL is asked again', () => texts().includes('new'));
  });

  it('does not repeat what is refused for good, nor what was taken with an error', async () => {
    server.answer = ({ text }) => (text === 'bad' ? { status: 422 } : { body: '{"code":1}' });
    const sender = senderWith();
    sender.send(server.url('/hook?key=hidden'), 'bad');
    sender.send(server.url('/hook?key=hidden'), 'good');
    await until('all were delivered', isEmpty);
    expect(texts()).toEqual(['bad', 'good']);
    expect(logged.map(({ message }) => message)).toEqual([
      'a callback was refused for good',
      'a callback was taken, with an error for an answer',
    ]);
    expect(JSON.stringify(logged)).not.toContain('hidden');
  });

  it('signs with the secret that is set when it sends, and keeps none in the outbox', async () => {
    server.answer = () => ({ status: 503 });
    const secret = 'a-secret-of-callbacks';
    const sender = senderWith({ settings: () => settings(`secret: ${secret}`) });
    sender.send(server.url(), '{}');
    await until('an attempt was made', () => [...outbox.items.values()].some(({ attempts }) => attempts > 0));
    expect(server.received[0]?.headers).toMatchObject({
      'sluice-signature': expect.stringMatching(/^t=1700000000,v1=/),
      'content-type': 'application/json',
    });
    expect(JSON.stringify([...outbox.items.values()])).not.toContain(secret);
  });

  it('says so when the outbox fails, and goes on when it works again', async () => {
    const { put, delete: remove } = outbox;
    outbox.put = () => Promise.reject(new Error('disk full'));
    const sender = senderWith();
    sender.send(server.url(), 'lost');
    await until('it is logged', () => logged.some(({ message }) => message === 'a callback could not be kept'));
    outbox.put = put;
    outbox.delete = () => Promise.reject(new Error('disk full'));
    sender.send(server.url(), 'twice');
    await until('it is logged', () => logged.some(({ message }) => message === 'the outbox of callbacks failed'));
    outbox.delete = remove;
    await until('all were delivered', isEmpty);
    expect(new Set(texts())).toEqual(new Set(['twice']));
  });
});
