import {
  type AccessRequest,
  type Admission,
  type Identity,
  parseStreamPath,
  Refusal,
  type Session,
} from '@sluice/core';
import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ViewerSessions } from './viewer-sessions.js';

const ANONYMOUS: Identity = { kind: 'anonymous' };
const SIGNED: Identity = { kind: 'signed-url', viewer: 'anna', credential: 'abc' };

const request = (over: Partial<AccessRequest> = {}): AccessRequest => ({
  action: 'play',
  protocol: 'hls',
  path: 'live/show',
  ip: '192.0.2.1',
  userAgent: 'player',
  credentials: {},
  query: new URLSearchParams(),
  ...over,
});

describe('ViewerSessions', () => {
  const time = { now: 0 };
  let sessions: ViewerSessions;
  let identity = ANONYMOUS;
  let refusal: Refusal | undefined;
  /** What the gate was asked and told, in order. */
  let seen: string[] = [];
  let cuts: ((reason: string) => void)[] = [];

  const admission = async ({ ip, path, userAgent }: AccessRequest, how: string, as: Identity): Promise<Admission> => {
    if (refusal !== undefined) throw refusal;
    const id = String(seen.length);
    seen.push(`${how} ${ip}`);
    const session: Session = {
      id,
      action: 'play',
      protocol: 'hls',
      path: parseStreamPath(path),
      ip,
      userAgent,
      identity: as,
      client: {},
      query: '',
      fingerprint: 'f',
      openedAt: millis(0),
    };
    let traffic = () => ({ received: 0, sent: 0 });
    return {
      session,
      bind: (control) => {
        cuts.push(control.cut);
        traffic = control.traffic;
      },
      close: (reason) => seen.push(`closed ${id}: ${reason}, ${traffic().sent}`),
    };
  };

  beforeEach(() => {
    vi.useFakeTimers();
    time.now = 0;
    identity = ANONYMOUS;
    refusal = undefined;
    seen = [];
    cuts = [];
    sessions = new ViewerSessions({
      gate: {
        admit: (asked) => admission(asked, 'admitted', identity),
        resume: (asked, session) => admission(asked, 'resumed', session.identity),
      },
      clock: { monotonic: () => millis(time.now), wall: () => millis(0) },
    });
  });
  afterEach(() => {
    sessions.close('test over');
    vi.useRealTimers();
  });

  const advance = (ms: number) => {
    time.now += ms;
    vi.advanceTimersByTime(ms);
  };

  it('knows a viewer of an open path by address and agent, and counts what it had', async () => {
    const viewer = await sessions.enter(request(), undefined);
    expect(viewer.key).toBeUndefined();
    sessions.sent(viewer, 100);
    expect(await sessions.enter(request(), undefined)).toBe(viewer);
    expect(sessions.countOf(parseStreamPath('live/show'))).toBe(1);
    expect(await sessions.enter(request({ userAgent: 'another' }), undefined)).not.toBe(viewer);
    sessions.close('over');
    expect(seen).toEqual(['admitted 192.0.2.1', 'admitted 192.0.2.1', 'closed 0: over, 100', 'closed 1: over, 0']);
  });

  it('gives a viewer with a credential a key of its own, which holds for its stream only', async () => {
    identity = SIGNED;
    const viewer = await sessions.enter(request(), undefined);
    expect(viewer.key).toMatch(/^[\w-]{22}$/);
    expect(await sessions.enter(request({ ip: '192.0.2.9' }), viewer.key)).toBe(viewer);
    await expect(sessions.enter(request({ path: 'live/other' }), viewer.key)).rejects.toMatchObject({
      code: 'credential-invalid',
    });
    await expect(sessions.enter(request(), 'made-up')).rejects.toMatchObject({ code: 'credential-invalid' });
  });

  it('refuses a key from an address that the credential is not bound to', async () => {
    identity = { ...SIGNED, network: '192.0.2.1' };
    const { key } = await sessions.enter(request(), undefined);
    await expect(sessions.enter(request({ ip: '192.0.2.9' }), key)).rejects.toMatchObject({
      code: 'credential-invalid',
    });
    await expect(sessions.enter(request(), key)).resolves.toBeDefined();
  });

  it('keeps apart two viewers at one address who show different credentials', async () => {
    identity = SIGNED;
    const first = await sessions.enter(request({ credentials: { sign: 'one' } }), undefined);
    const second = await sessions.enter(request({ credentials: { sign: 'two' } }), undefined);
    expect(second).not.toBe(first);
  });

  it('asks the gate about each when two of one viewer come at once, and keeps one', async () => {
    const [first, second] = await Promise.all([
      sessions.enter(request(), undefined),
      sessions.enter(request(), undefined),
    ]);
    expect(second).toBe(first);
    expect(seen).toContain('closed 1: the same viewer is known, 0');
  });

  it('ends a session at once when it is cut; its key is good for nothing then', async () => {
    identity = SIGNED;
    const { key } = await sessions.enter(request(), undefined);
    cuts[0]?.('kicked');
    expect(seen).toEqual(['admitted 192.0.2.1', 'closed 0: kicked, 0']);
    await expect(sessions.enter(request(), key)).rejects.toMatchObject({ code: 'credential-invalid' });
    expect(sessions.countOf(parseStreamPath('live/show'))).toBe(0);
  });

  it('lets a paused player go on with its key, if the gate still lets it', async () => {
    identity = SIGNED;
    const { key } = await sessions.enter(request(), undefined);
    advance(29_000);
    expect(seen).toHaveLength(1);
    await sessions.enter(request(), key);
    advance(60_000);
    expect(seen).toEqual(['admitted 192.0.2.1', 'closed 0: viewer left, 0']);
    refusal = new Refusal('banned', 'banned');
    await expect(sessions.enter(request(), key)).rejects.toMatchObject({ code: 'banned' });
    refusal = undefined;
    expect((await sessions.enter(request(), key)).key).toBe(key);
    expect(seen).toContain('resumed 192.0.2.1');
    advance(31_000);
    advance(3_700_000);
    await expect(sessions.enter(request(), key)).rejects.toMatchObject({ code: 'credential-invalid' });
  });
});
