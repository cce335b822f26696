import { millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { EventBus } from '../events.js';
import { silentLogger } from '../logger.js';
import { type AccessRequest, Gate, type SessionLimits } from './gate.js';

function gateWith(limits: SessionLimits) {
  const events = new EventBus(silentLogger);
  const seen: string[] = [];
  const refused: unknown[] = [];
  events.on('session-opened', ({ session }) => seen.push(`+${session.path}`));
  events.on('session-closed', ({ session, reason, bytes }) => seen.push(`-${session.path} ${reason} ${bytes}`));
  const gate = new Gate({
    clock: { monotonic: () => millis(0), wall: () => millis(1234) },
    events,
    limits: () => limits,
    log: { ...silentLogger, warn: (fields) => refused.push(fields) },
  });
  const ask = (path: string, ip: string) => gate.admit(request(path, ip));
  return { gate, seen, refused, ask };
}

const request = (path: string, ip: string): AccessRequest => ({
  action: 'play',
  protocol: 'http-flv',
  path,
  ip,
  query: new URLSearchParams('key=not-for-logs'),
});

describe('Gate', () => {
  it('opens a session and keeps it until it is closed, once', async () => {
    const { gate, seen, ask } = gateWith({ total: 10, perStream: 10, perIp: 10 });
    const { session, close } = await ask('live/show', '::1');
    expect(session).toMatchObject({ path: 'live/show', ip: '::1', protocol: 'http-flv', openedAt: 1234 });
    expect([...gate.sessions()]).toEqual([session]);
    close('viewer left', 99);
    close('again', 1);
    expect([...gate.sessions()]).toEqual([]);
    expect(seen).toEqual(['+live/show', '-live/show viewer left 99']);
  });

  it.each([
    ['sessions.total', { total: 2, perStream: 9, perIp: 9 }, ['c/c', '3.3.3.3']],
    ['sessions.perStream', { total: 9, perStream: 1, perIp: 9 }, ['a/a', '3.3.3.3']],
    ['sessions.perIp', { total: 9, perStream: 9, perIp: 1 }, ['c/c', '1.1.1.1']],
  ] as const)('refuses one more than %s, and takes it when another has left', async (key, limits, [path, ip]) => {
    const { gate, ask } = gateWith(limits);
    const first = await ask('a/a', '1.1.1.1');
    await ask('b/b', '2.2.2.2');
    await expect(ask(path, ip)).rejects.toMatchObject({
      code: 'too-many-sessions',
      message: expect.stringContaining(`${key} is `),
    });
    expect([...gate.sessions()]).toHaveLength(2);
    first.close('left', 0);
    await expect(ask(path, ip)).resolves.toBeDefined();
  });

  it('refuses a name outside the grammar, and logs why without the query', async () => {
    const { seen, refused, ask } = gateWith({ total: 1, perStream: 1, perIp: 1 });
    await expect(ask('live/../etc', '::1')).rejects.toMatchObject({ code: 'bad-name' });
    expect(seen).toEqual([]);
    expect(refused).toMatchObject([{ action: 'play', protocol: 'http-flv', ip: '::1', reason: 'bad-name' }]);
    expect(JSON.stringify(refused)).not.toContain('not-for-logs');
    await expect(ask('live/show', '::1')).resolves.toBeDefined();
  });
});
