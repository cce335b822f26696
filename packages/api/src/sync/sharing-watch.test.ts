import { afterEach, describe, expect, it } from 'vitest';
import { testGate } from '../../../../test/support/gate.js';
import { until } from '../../../../test/support/until.js';
import { SharingWatch } from './sharing-watch.js';

describe('SharingWatch', () => {
  const closing: (() => unknown)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0).reverse()) close();
  });

  async function watchWith(text: string, maxAddresses = 1) {
    const yaml = (more: string) =>
      `sharing: { maxAddresses: ${maxAddresses}, maxUserAgents: 2, windowSeconds: 60, ${more} }`;
    const house = await testGate(yaml(text));
    const watch = new SharingWatch({ ...house, settings: () => house.config().sharing });
    closing.push(
      () => watch.close(),
      () => house.gate.close(),
    );
    /** Some of the account's sessions, by name, and what was cut of them. */
    const names = new Map<string, string>();
    const from = async (ip: string, over: Parameters<typeof house.play>[1] = {}) => {
      const { session, close } = await house.play('anna', { ip, ...over });
      names.set(session.id, ip);
      return close;
    };
    const cut = () => [...house.cut.keys()].map((id) => names.get(id) ?? 'the newest');
    return { ...house, watch, from, cut, set: (more: string) => house.configure(yaml(more)) };
  }

  it('cuts the newest as it opens, and keeps that device out for the window', async () => {
    const { from, cut, time, audited, logged } = await watchWith('policy: cut-newest');
    await from('192.0.2.1');
    await from('192.0.2.2');
    expect(cut()).toEqual(['192.0.2.2']);
    await expect(from('192.0.2.2')).rejects.toMatchObject({
      code: 'banned',
      message: expect.stringContaining('shared'),
    });
    await expect(from('192.0.2.1')).resolves.toBeDefined();
    expect(audited).toMatchObject([
      { action: 'account.shared', target: 'anna', detail: '2 addresses and 1 user agents in 60 s' },
      { action: 'session.kick', ip: '192.0.2.2', result: 'ok', detail: expect.stringContaining('anna') },
    ]);
    expect(logged.filter(({ level }) => level === 'warn')[0]).toMatchObject({ message: 'an account is shared' });
    time.ms += 60_000;
    await from('192.0.2.2');
    expect(cut()).toEqual(['192.0.2.2', '192.0.2.2']);
  });

  it('cuts the oldest, until the account fits', async () => {
    const { from, cut, set, watch, time } = await watchWith('policy: off');
    for (const ip of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      await from(ip);
      time.ms += 1000;
    }
    watch.check();
    expect(cut()).toEqual([]);
    set('policy: cut-oldest');
    watch.check();
    expect(cut()).toEqual(['192.0.2.1', '192.0.2.2']);
    watch.check();
    expect(cut()).toHaveLength(2);
    await expect(from('192.0.2.1')).rejects.toMatchObject({ code: 'banned' });
  });

  it('only reports, and once, where that is the policy', async () => {
    const { from, cut, watch, audited, time } = await watchWith('policy: report');
    const close = [await from('192.0.2.1'), await from('192.0.2.2')];
    watch.check();
    expect(audited).toHaveLength(1);
    for (const leave of close) leave('left');
    time.ms += 60_001;
    watch.check();
    await from('192.0.2.1');
    await from('192.0.2.2');
    expect(audited).toHaveLength(2);
    expect(cut()).toEqual([]);
  });

  it('goes by user agents, too', async () => {
    const { from, cut } = await watchWith('policy: cut-newest');
    for (const userAgent of ['VLC', 'Kodi', undefined, 'VLC']) await from('192.0.2.1', { userAgent });
    expect(cut()).toEqual([]);
    await from('192.0.2.1', { userAgent: 'Safari' });
    expect(cut()).toEqual(['192.0.2.1']);
  });

  it('counts the places of sessions that ended inside the window, and none before', async () => {
    const { from, cut, time } = await watchWith('policy: cut-newest');
    (await from('192.0.2.1'))('left');
    time.ms += 60_000;
    (await from('192.0.2.2'))('left');
    expect(cut()).toEqual(['192.0.2.2']);
    time.ms += 60_001;
    await from('192.0.2.3');
    expect(cut()).toEqual(['192.0.2.2']);
  });

  it('finds a second address in a session that was handed on', async () => {
    const { from, cut, watch } = await watchWith('policy: cut-newest');
    const addresses = ['192.0.2.1'];
    await from('192.0.2.1', { protocol: 'hls', addresses });
    watch.check();
    expect(cut()).toEqual([]);
    addresses.push('192.0.2.2');
    watch.check();
    expect(cut()).toEqual(['192.0.2.1']);
  });

  it('does not hold it against a phone that it changed networks long ago', async () => {
    const { from, cut, watch, time } = await watchWith('policy: cut-newest', 2);
    const addresses = ['192.0.2.1'];
    await from('192.0.2.1', { protocol: 'hls', addresses });
    for (const ip of ['192.0.2.2', '192.0.2.3', '192.0.2.4']) {
      addresses.push(ip);
      watch.check();
      time.ms += 60_001;
      watch.check();
    }
    expect(cut()).toEqual([]);
    addresses.push('192.0.2.5', '192.0.2.6');
    watch.check();
    expect(cut()).toEqual(['192.0.2.1']);
  });

  it('minds neither other accounts nor those without a name, nor publishers', async () => {
    const { play, gate, cut, watch } = await watchWith('policy: cut-newest');
    await play('anna', { ip: '192.0.2.1' });
    await play('bert', { ip: '192.0.2.2' });
    await play(undefined, { ip: '192.0.2.3' });
    await play(undefined, { ip: '192.0.2.4' });
    await gate.admit({
      action: 'publish',
      protocol: 'rtmp',
      path: 'live/show',
      ip: '127.0.0.1',
      credentials: { user: 'anna' },
      query: new URLSearchParams(),
    });
    watch.check();
    expect(cut()).toEqual([]);
  });

  it('looks by itself every second', async () => {
    const { from, cut, set } = await watchWith('policy: off');
    await from('192.0.2.1');
    await from('192.0.2.2');
    set('policy: cut-newest');
    await until('the newest was cut', () => cut().length > 0);
    expect(cut()).toEqual(['192.0.2.2']);
  });
});
