import { millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session, Traffic } from '../access/session.js';
import { SessionRegistry } from '../access/session-registry.js';
import { EventBus } from '../events.js';
import { silentLogger } from '../logger.js';
import { parseStreamPath } from '../stream-path.js';
import { TrafficMeter } from './traffic-meter.js';

const PATH = parseStreamPath('live/show');
const LIMITS = { total: 99, perStream: 99, perIp: 99, perViewer: 99 };

describe('TrafficMeter', () => {
  const time = { now: 0 };
  const clock = { monotonic: () => millis(time.now), wall: () => millis(time.now) };
  let events: EventBus;
  let registry: SessionRegistry;
  let meter: TrafficMeter;
  beforeEach(() => {
    time.now = 0;
    events = new EventBus(silentLogger);
    registry = new SessionRegistry({ clock, limits: () => LIMITS });
    meter = new TrafficMeter({ registry, events, clock });
    events.emit('stream-started', { path: PATH, session: session('encoder') });
  });
  afterEach(() => meter.close());

  const session = (id: string, path = PATH): Session => ({
    id,
    action: 'play',
    protocol: 'rtmp',
    path,
    ip: '::1',
    userAgent: undefined,
    identity: { kind: 'anonymous' },
    client: {},
    query: '',
    fingerprint: id,
    openedAt: millis(0),
  });
  const open = (id: string, path = PATH) => {
    const traffic = { received: 0, sent: 0 };
    registry.open(session(id, path));
    registry.bind(id, { cut: () => {}, traffic: (): Traffic => traffic });
    return traffic;
  };
  const close = (id: string) => {
    const closed = registry.close(id);
    if (closed) events.emit('session-closed', { session: closed.session, reason: 'left', traffic: closed.traffic });
  };
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second += 5) {
      time.now += 5000;
      meter.sample();
    }
  };

  it('tells totals and rates of a session, its stream and the server', () => {
    const [one, two] = [open('one'), open('two')];
    open('elsewhere', parseStreamPath('live/other')).sent = 7;
    meter.sample();
    one.sent = 1_000_000;
    two.sent = 2_000_000;
    two.received = 500;
    pass(10);
    expect(meter.session('one')).toEqual({ received: 0, sent: 1_000_000, kbps: { received: 0, sent: 800 } });
    const stream = { sessions: 2, received: 500, sent: 3_000_000, kbps: { received: 0.4, sent: 2400 } };
    expect(meter.stream(PATH)).toEqual(stream);
    expect([...meter.streams()]).toEqual([[PATH, stream]]);
    expect(meter.server().sent).toBe(3_000_007);
    pass(40);
    expect(meter.session('one').kbps.sent).toBe(0);
  });

  it('tells the rate of the last 30 s and of nothing before', () => {
    const one = open('one');
    meter.sample();
    for (let tick = 1; tick <= 12; tick++) {
      one.sent += tick <= 6 ? 50_000_000 : 5_000_000;
      pass(5);
    }
    expect(meter.session('one')).toEqual({ received: 0, sent: 330_000_000, kbps: { received: 0, sent: 8000 } });
    expect(meter.server().kbps.sent).toBe(8000);
  });

  it('keeps what sessions moved that are over, and forgets the sessions', () => {
    open('one').sent = 1000;
    meter.sample();
    close('one');
    expect(meter.session('one').sent).toBe(0);
    expect(meter.stream(PATH).sent).toBe(1000);
    expect(meter.server().sent).toBe(1000);
    pass(30);
    expect(meter.stream(PATH).kbps.sent).toBe(0);
    events.emit('stream-ended', { path: PATH, reason: 'over', received: { bytes: 0, frames: 0 } });
    expect(meter.stream(PATH).sent).toBe(0);
    expect(meter.server().sent).toBe(1000);
  });
});
