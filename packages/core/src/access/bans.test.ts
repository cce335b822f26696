import { millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../record-store.js';
import { parseStreamPath } from '../stream-path.js';
import { type Ban, type BanSubject, Bans, type NewBan } from './bans.js';

const SUBJECT: BanSubject = {
  path: parseStreamPath('live/show'),
  ip: '192.0.2.7',
  fingerprint: 'device',
  identity: { kind: 'jwt', viewer: 'anna', credential: 'token' },
};

describe('Bans', () => {
  async function bansWith(store = memoryStore<Ban>()) {
    const time = { now: 1000 };
    const clock = { wall: () => millis(time.now), monotonic: () => millis(0) };
    const bans = await Bans.load(store, clock);
    const add = (over: Partial<NewBan>) =>
      bans.add({ kind: 'ip', value: '192.0.2.7', reason: 'test', createdBy: 'me', ...over } as NewBan);
    return { bans, add, time, store };
  }

  it.each([
    [{ kind: 'ip', value: '192.0.2.7' }, true],
    [{ kind: 'ip', value: '::ffff:192.0.2.7' }, true],
    [{ kind: 'ip', value: '192.0.2.0/28' }, true],
    [{ kind: 'ip', value: '192.0.2.64/28' }, false],
    [{ kind: 'ip', value: '0.0.0.0/0' }, true],
    [{ kind: 'session', value: 'device' }, true],
    [{ kind: 'viewer', value: 'anna' }, true],
    [{ kind: 'viewer', value: 'Anna' }, false],
    [{ kind: 'token', value: 'token' }, true],
    [{ kind: 'token', value: 'anna' }, false],
    [{ kind: 'viewer', value: 'anna', path: 'live/*' }, true],
    [{ kind: 'viewer', value: 'anna', path: 'vip/*' }, false],
  ] as const)('by %j holds: %s', async (ban, holds) => {
    const { bans, add } = await bansWith();
    await add(ban);
    expect(bans.find(SUBJECT) !== undefined).toBe(holds);
  });

  it('of an IPv6 address holds however it is written, and of a block for all in it', async () => {
    const { bans, add } = await bansWith();
    const at = (ip: string) => bans.find({ path: undefined, ip });
    await add({ value: '2001:DB8:0:0::1' });
    expect(at('2001:db8::1')).toBeDefined();
    expect(at('2001:db8::2')).toBeUndefined();
    await add({ value: '2001:db8:1::/48' });
    expect(at('2001:db8:1:ffff::9')).toBeDefined();
    expect(at('no address')).toBeUndefined();
  });

  it('hold for their time, over restarts too, until they are lifted', async () => {
    const { bans, add, time, store } = await bansWith();
    const brief = await add({ seconds: 10 });
    const lasting = await add({ kind: 'viewer', value: 'anna' });
    expect(brief.expiresAt).toBe(11_000);
    const restarted = await Bans.load(store, { wall: () => millis(time.now), monotonic: () => millis(0) });
    expect(restarted.list()).toEqual([brief, lasting]);
    time.now = 11_000;
    expect(bans.list()).toEqual([lasting]);
    expect(bans.find({ path: undefined, ip: '192.0.2.7' })).toBeUndefined();
    await bans.prune();
    expect(await store.load()).toEqual([lasting]);
    expect(await bans.remove(lasting.id)).toEqual(lasting);
    expect(await bans.remove(lasting.id)).toBeUndefined();
    expect([bans.find(SUBJECT), await store.load()]).toEqual([undefined, []]);
  });

  it('of one thing can be several, and each is lifted for itself', async () => {
    const { bans, add } = await bansWith();
    const [one, two] = [await add({ value: '192.0.2.0/24' }), await add({})];
    await bans.remove(one.id);
    expect(bans.find(SUBJECT)).toEqual(two);
    await bans.remove(two.id);
    expect(bans.find(SUBJECT)).toBeUndefined();
  });
});
