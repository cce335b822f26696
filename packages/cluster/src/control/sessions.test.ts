import { EventBus, parseStreamPath, type Session, SessionRegistry, silentLogger, systemClock } from '@sluice/core';
import { millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overLimits } from './limit-judge.js';
import { type Batch, batchMessage, factsOf } from './messages.js';
import { partsOf } from './parts.js';
import { RemoteSessions } from './remote-sessions.js';
import { read } from './session-exchange.js';
import { SessionJournal } from './session-journal.js';

const LIMITS = { total: 1000, perStream: 1000, perIp: 1000, perViewer: 1000 };

function session(id: string, over: Partial<Session> = {}): Session {
  return {
    id,
    action: 'play',
    protocol: 'hls',
    path: parseStreamPath('live/show'),
    ip: '192.0.2.1',
    userAgent: undefined,
    identity: { kind: 'anonymous' },
    client: {},
    query: 'key=not-for-others',
    fingerprint: 'device',
    openedAt: millis(0),
    ...over,
  };
}

/** A node as the others see it. */
function node(name: string, limits = LIMITS) {
  const events = new EventBus(silentLogger);
  const remote = new RemoteSessions();
  const registry = new SessionRegistry({ clock: systemClock, limits: () => limits, elsewhere: remote });
  const journal = new SessionJournal({ registry, events });
  const open = (opened: Session) => {
    registry.open(opened);
    events.emit('session-opened', { session: opened });
  };
  const close = (id: string) => {
    const closed = registry.close(id);
    if (closed !== undefined) {
      events.emit('session-closed', { session: closed.session, reason: 'left', traffic: closed.traffic });
    }
  };
  const batches = (): Batch[] =>
    journal.take().map((batch) => batchMessage.parse(JSON.parse(JSON.stringify({ node: name, epoch: 'e', ...batch }))));
  const snapshot = () => ({ batch: journal.batch, sessions: journal.snapshot().flat() });
  const ids = () => [...registry.list()].map((one) => one.session.id).sort();
  return { name, remote, registry, open, close, batches, snapshot, ids, limits };
}

const known = (remote: RemoteSessions) => [...remote.list()].map((one) => one.session.id).sort();

describe('sessions of other nodes', () => {
  it('are known as they are, whatever is lost on the way', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('open' as const), id: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ kind: fc.constant('close' as const), id: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ kind: fc.constant('tell' as const), lost: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const there = node('b');
        const here = new RemoteSessions();
        const ask = () =>
          here.replace({ node: 'b', name: 'b', epoch: 'e', ...there.snapshot() }, there.snapshot().sessions);
        for (const taken of [...steps, { kind: 'tell' as const, lost: false }]) {
          if (taken.kind === 'open' && there.registry.get(`${taken.id}`) === undefined) {
            there.open(session(`${taken.id}`));
          } else if (taken.kind === 'close') there.close(`${taken.id}`);
          else if (taken.kind === 'tell') {
            const batches = there.batches();
            if (taken.lost) continue;
            for (const batch of batches) if (here.apply(batch) === undefined) ask();
          }
        }
        // What presence says, when the last batches were lost.
        if (!here.isUpTo('b', 'e', there.snapshot().batch)) ask();
        expect(known(here)).toEqual(there.ids());
        expect([here.size, here.ofStream(parseStreamPath('live/show')), here.ofIp('192.0.2.1')]).toEqual(
          Array.from({ length: 3 }, () => there.ids().length),
        );
        here.forget('b');
        expect([here.size, here.ofIp('192.0.2.1')]).toEqual([0, 0]);
      }),
    );
  });

  it('are told without what may hold credentials', () => {
    expect(JSON.stringify(factsOf(session('a')))).not.toContain('not-for-others');
  });

  it('bears anything that another node says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const batch = read(batchMessage, text, silentLogger);
        if (batch !== undefined) new RemoteSessions().apply(batch);
      }),
    );
  });
});

describe('parts', () => {
  it('are small enough, and hold all that is, in its order', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 60 })), fc.integer({ min: 100, max: 500 }), (items, most) => {
        const parts = partsOf(items, most);
        expect(parts.length).toBeGreaterThan(0);
        for (const part of parts) expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(most + 2);
        const small = items.filter((item) => Buffer.byteLength(JSON.stringify(item)) < most);
        expect(parts.flat()).toEqual(small);
      }),
    );
  });
});

describe('limits of a cluster', () => {
  it('hold when all have judged, and take the youngest, whoever has it', () => {
    const opened = fc.record({ at: fc.integer({ min: 0, max: 5 }), on: fc.integer({ min: 0, max: 2 }) });
    fc.assert(
      fc.property(fc.array(opened, { maxLength: 15 }), fc.integer({ min: 1, max: 6 }), (all, perIp) => {
        const nodes = ['a', 'b', 'c'].map((name) => node(name, { ...LIMITS, perIp }));
        all.forEach(({ at, on }, id) => {
          try {
            nodes[on]?.open(session(`s${id}`, { openedAt: millis(at) }));
          } catch {
            // Its own node refuses it.
          }
        });
        const open = nodes.flatMap(({ registry }) => [...registry.list()].map((one) => one.session));
        const oldest = open.toSorted((a, b) => a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1)).slice(0, perIp);
        const news = nodes.map((from) => ({
          from: from.name,
          sessions: from.snapshot().sessions,
          batches: from.batches(),
        }));
        for (const to of nodes) {
          for (const { from, batches } of news) {
            if (from === to.name) continue;
            to.remote.replace({ node: from, name: from, epoch: 'e', batch: 0 }, []);
            for (const batch of batches) to.remote.apply(batch);
          }
        }
        const cut = nodes.flatMap(({ registry, remote, limits }) => {
          const others = [...remote.list()].map((one) => one.session);
          return [...overLimits(others, { registry, remote, limits }).keys()];
        });
        const left = open.map(({ id }) => id).filter((id) => !cut.includes(id));
        expect(left.sort()).toEqual(oldest.map(({ id }) => id).sort());
      }),
    );
  });

  it('count the sessions of other nodes before anybody is let in', () => {
    const { remote, open } = node('a', { ...LIMITS, perViewer: 2 });
    const viewer = { identity: { kind: 'jwt' as const, viewer: 'anna' } };
    remote.replace({ node: 'b', name: 'b', epoch: 'e', batch: 1 }, [factsOf(session('there', viewer))]);
    open(session('here', viewer));
    expect(() => open(session('more', viewer))).toThrow(/2 sessions are open; sessions.perViewer is 2/);
  });
});
