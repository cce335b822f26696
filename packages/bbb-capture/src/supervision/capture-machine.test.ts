import { CAPTURE_FAILURES, type CaptureTrouble } from '@sluice/core';
import { millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CaptureAction, CaptureInput, StayNews } from './capture-input.js';
import { CaptureMachine, type MachineSettings } from './capture-machine.js';
import { ALONE_MS, JOIN_MS, LOST_TARGET_MS, MOST_ATTEMPTS, STEADY_MS } from './patience.js';

const MIB = 1024 * 1024;
const SETTINGS: MachineSettings = {
  waitMs: 3_600_000,
  maxMs: 0,
  maxBytes: 1000 * MIB,
  maxCpus: 2,
  isWatched: true,
  random: () => 0.5,
};

/** A machine with a hand on its clock, whose browsers close at once. */
class Bench {
  now = 1000;
  readonly machine: CaptureMachine;
  readonly done: CaptureAction[] = [];
  closesAtOnce = true;

  constructor(settings: Partial<MachineSettings> = {}) {
    this.machine = new CaptureMachine({ ...SETTINGS, ...settings }, millis(this.now));
  }

  give(input: CaptureInput): void {
    for (const action of this.machine.take(input, millis(this.now))) {
      this.done.push(action);
      if (action.kind === 'close' && this.closesAtOnce) this.news({ kind: 'closed' }, action.stay);
    }
  }

  news(news: StayNews, stay = this.stay): void {
    this.give({ kind: 'stay', stay, news });
  }

  /** Lets time pass, with a tick at each deadline on the way. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let due = this.machine.deadline; due !== undefined && due <= end; due = this.machine.deadline) {
      this.now = Math.max(this.now, due);
      this.give({ kind: 'tick' });
    }
    this.now = end;
    this.give({ kind: 'tick' });
  }

  get stay(): number {
    return this.done.reduce((last, action) => (action.kind === 'open' ? action.stay : last), 0);
  }

  get kinds(): string[] {
    return this.done.map(({ kind }) => kind);
  }

  get state() {
    return this.machine.state;
  }

  goLive(): void {
    if (this.stay === 0) this.give({ kind: 'running', createTime: 1, isAlone: false });
    this.news({ kind: 'live' });
    this.give({ kind: 'target-live' });
  }
}

describe('a capture', () => {
  test('waits, joins, is live, and ends with its meeting', () => {
    const bench = new Bench();
    expect(bench.state).toEqual({ kind: 'waiting' });
    bench.give({ kind: 'running', createTime: 7, isAlone: false });
    expect(bench.done).toEqual([{ kind: 'open', stay: 1, createTime: 7 }]);
    bench.news({ kind: 'step', step: 'opens the meeting' });
    expect(bench.state).toEqual({ kind: 'joining', step: 'opens the meeting', attempt: 1 });
    bench.news({ kind: 'live' });
    expect(bench.state).toMatchObject({ kind: 'joining', step: 'connects to the target' });
    expect(bench.machine.isStaying).toBe(true);
    bench.give({ kind: 'target-live' });
    expect(bench.state).toEqual({ kind: 'live', since: 1000 });
    bench.give({ kind: 'over' });
    expect(bench.kinds).toEqual(['open', 'close', 'finish']);
    expect(bench.state).toEqual({ kind: 'ended', reason: 'meeting-ended' });
  });

  test('fails where the meeting does not begin in time', () => {
    const bench = new Bench({ waitMs: 60_000 });
    bench.pass(59_999);
    expect(bench.state.kind).toBe('waiting');
    bench.pass(1);
    expect(bench.state).toMatchObject({ kind: 'failed', failure: 'no-meeting' });
    expect(bench.kinds).toEqual(['finish']);

    const silent = new Bench({ waitMs: 60_000 });
    silent.give({ kind: 'unanswered', failure: 'unreachable', detail: 'no route' });
    silent.pass(60_000);
    expect(silent.state).toEqual({ kind: 'failed', failure: 'unreachable', detail: 'no route' });
  });

  test('begins at once where BBB is not asked, and believes the page about its end', () => {
    const bench = new Bench({ isWatched: false });
    bench.give({ kind: 'tick' });
    bench.goLive();
    bench.news({ kind: 'meeting-ended' });
    expect(bench.state).toEqual({ kind: 'ended', reason: 'meeting-ended' });
    expect(bench.kinds).toEqual(['open', 'close', 'finish']);
  });

  test('leaves at once when the page speaks of the end, and comes back only if BBB does not', () => {
    const bench = new Bench();
    bench.goLive();
    bench.news({ kind: 'meeting-ended' });
    expect(bench.kinds).toEqual(['open', 'close']);
    expect(bench.machine.isStaying).toBe(false);
    bench.pass(5000);
    bench.give({ kind: 'over' });
    expect(bench.state).toEqual({ kind: 'ended', reason: 'meeting-ended' });

    const other = new Bench();
    other.goLive();
    other.news({ kind: 'meeting-ended' });
    other.pass(4000);
    other.give({ kind: 'running', createTime: 1, isAlone: false });
    other.pass(6000);
    expect(other.kinds).toEqual(['open', 'close', 'open']);
    expect([bench.machine.rejoins, other.machine.rejoins]).toEqual([0, 1]);
  });

  test('does not come back for ever to a page that says the meeting has ended', () => {
    const bench = new Bench();
    bench.goLive();
    const round = () => {
      bench.news({ kind: 'live' });
      bench.news({ kind: 'meeting-ended' });
      bench.pass(10_000);
    };
    for (let count = 1; count < MOST_ATTEMPTS; count += 1) round();
    expect(bench.state.kind).toBe('degraded');
    expect(bench.stay).toBe(MOST_ATTEMPTS);
    round();
    expect(bench.state).toMatchObject({ kind: 'failed', failure: 'removed' });

    const steady = new Bench();
    steady.goLive();
    for (let count = 0; count < 3 * MOST_ATTEMPTS; count += 1) {
      steady.news({ kind: 'live' });
      steady.pass(STEADY_MS);
      steady.news({ kind: 'meeting-ended' });
      steady.pass(10_000);
    }
    expect(steady.state.kind).toBe('degraded');
  });

  test.each([
    ['a kick', { kind: 'failed', failure: 'removed', detail: 'kicked', hasBegun: true }],
    ['a crash of the tab', { kind: 'failed', failure: 'browser-failed', detail: 'crashed', hasBegun: true }],
    ['the death of the browser', { kind: 'closed' }],
  ] satisfies [string, StayNews][])('joins again after %s, a little later each time', (_name, news) => {
    const bench = new Bench();
    bench.goLive();
    const pauses: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const before = bench.stay;
      bench.news(news);
      expect(bench.state).toMatchObject({ kind: 'degraded', trouble: 'reconnecting', since: bench.now });
      const lost = bench.now;
      while (bench.stay === before) bench.pass(100);
      pauses.push(bench.now - lost);
      bench.goLive();
      expect(bench.state.kind).toBe('live');
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000]);
    bench.pass(STEADY_MS);
    const before = bench.stay;
    bench.news(news);
    bench.pass(500);
    expect(bench.stay).toBe(before + 1);
    expect(bench.machine.rejoins).toBe(5);
  });

  test('gives up where nothing helps', () => {
    const bench = new Bench();
    bench.give({ kind: 'running', createTime: 1, isAlone: false });
    for (let round = 0; round < MOST_ATTEMPTS; round += 1) bench.pass(JOIN_MS + 40_000);
    expect(bench.state).toMatchObject({ kind: 'failed', failure: 'not-heard' });
    expect(bench.kinds.filter((kind) => kind === 'open')).toHaveLength(MOST_ATTEMPTS);
  });

  test('a meeting that ends while it is on its way back has ended, and nothing failed', () => {
    for (const [isWatched, failure] of [
      [true, 'meeting-ended-by-force'],
      [false, 'meeting-ended-by-force'],
      [false, 'no-meeting'],
    ] as const) {
      const bench = new Bench({ isWatched });
      bench.give({ kind: 'tick' });
      bench.goLive();
      bench.news({ kind: 'failed', failure: 'browser-failed', detail: 'crashed', hasBegun: true });
      bench.pass(1000);
      expect(bench.stay).toBe(2);
      bench.news({ kind: 'failed', failure, detail: 'refused', hasBegun: true });
      expect(bench.state).toEqual({ kind: 'ended', reason: 'meeting-ended' });
      const first = new Bench({ isWatched: false });
      first.give({ kind: 'tick' });
      first.news({ kind: 'failed', failure, detail: 'refused', hasBegun: true });
      expect(first.state).toMatchObject({ kind: 'failed', failure });
    }
  });

  test('fails at once with what no second try can change', () => {
    const bench = new Bench();
    bench.give({ kind: 'running', createTime: 1, isAlone: false });
    bench.news({ kind: 'failed', failure: 'meeting-full', detail: 'full', hasBegun: true });
    expect(bench.state).toEqual({ kind: 'failed', failure: 'meeting-full', detail: 'full' });
    expect(bench.kinds).toEqual(['open', 'close', 'finish']);
  });

  test('stays in the meeting while the target is lost, but not for one that refuses it', () => {
    const bench = new Bench();
    bench.goLive();
    bench.give({ kind: 'target-lost', detail: 'reset', refused: false });
    expect(bench.state).toMatchObject({ kind: 'degraded', trouble: 'target-lost', detail: 'reset' });
    bench.pass(3_000_000);
    expect(bench.kinds).toEqual(['open']);
    bench.give({ kind: 'target-live' });
    expect(bench.state).toMatchObject({ kind: 'live', since: bench.now });
    bench.give({ kind: 'target-lost', detail: 'bad key', refused: true });
    bench.pass(LOST_TARGET_MS);
    expect(bench.state).toEqual({ kind: 'failed', failure: 'target-refused', detail: 'bad key' });
  });

  test('waits in the lobby as long as for a meeting', () => {
    const bench = new Bench({ waitMs: 600_000 });
    bench.give({ kind: 'running', createTime: 1, isAlone: false });
    bench.news({ kind: 'lobby' });
    bench.pass(599_000);
    expect(bench.state).toMatchObject({ kind: 'joining', step: 'waits in the lobby' });
    bench.pass(1000);
    expect(bench.state).toMatchObject({ kind: 'failed', failure: 'guest-denied' });
  });

  test('heals lost sound and black, tells silence and a picture that stands still', () => {
    const bench = new Bench();
    bench.goLive();
    const suffer = (trouble: CaptureTrouble, isFault = true) =>
      bench.news({ kind: 'trouble', trouble, detail: trouble, isFault });
    suffer('silent', false);
    suffer('frozen', false);
    expect(bench.state).toMatchObject({ kind: 'degraded', trouble: 'frozen' });
    bench.pass(3_600_000);
    expect(bench.kinds).toEqual(['open']);
    bench.news({ kind: 'well', trouble: 'frozen' });
    bench.news({ kind: 'well', trouble: 'silent' });
    expect(bench.state.kind).toBe('live');
    suffer('audio-lost');
    bench.pass(6000);
    expect(bench.kinds).toEqual(['open', 'close', 'open']);
    bench.goLive();
    suffer('black');
    bench.pass(60_000);
    expect(bench.kinds.filter((kind) => kind === 'open')).toHaveLength(3);
    bench.goLive();
    suffer('black');
    bench.pass(3_600_000);
    expect(bench.kinds.filter((kind) => kind === 'open')).toHaveLength(3);
  });

  test('follows a meeting that was restarted under the same id', () => {
    const bench = new Bench();
    bench.goLive();
    bench.give({ kind: 'running', createTime: 2, isAlone: false });
    bench.pass(500);
    expect(bench.done.at(-1)).toEqual({ kind: 'open', stay: 2, createTime: 2 });
  });

  test('leaves a meeting that everybody else has left', () => {
    const bench = new Bench();
    bench.goLive();
    const runs = (isAlone: boolean) => bench.give({ kind: 'running', createTime: 1, isAlone });
    runs(true);
    bench.pass(ALONE_MS - 1);
    runs(false);
    runs(true);
    bench.pass(ALONE_MS - 1);
    expect(bench.state.kind).toBe('live');
    bench.pass(1);
    expect(bench.state).toEqual({ kind: 'ended', reason: 'meeting-ended' });
  });

  test('starts the browser anew when it takes too much memory, and ends when its time is up', () => {
    const bench = new Bench({ maxMs: 7_200_000 });
    bench.goLive();
    bench.give({ kind: 'usage', bytes: 1000 * MIB, cpus: undefined });
    expect(bench.kinds).toEqual(['open']);
    bench.give({ kind: 'usage', bytes: 1001 * MIB, cpus: 0 });
    expect(bench.kinds).toEqual(['open', 'close']);
    bench.pass(1000);
    bench.goLive();
    expect(bench.state.kind).toBe('live');
    bench.pass(7_200_000);
    expect(bench.state).toMatchObject({ kind: 'failed', failure: 'too-long' });
  });
});

describe('a limit of processors', () => {
  const use = (bench: Bench, seconds: number, cpus: number) => {
    for (let at = 0; at <= seconds; at += 5) {
      bench.give({ kind: 'usage', bytes: 0, cpus });
      bench.pass(5000);
    }
  };

  test('ends a browser that is above it for long, not one that is so now and then', () => {
    const bench = new Bench();
    bench.goLive();
    for (let round = 0; round < 10; round += 1) {
      use(bench, 50, 2.1);
      use(bench, 0, 2);
    }
    expect(bench.kinds).toEqual(['open']);
    use(bench, 65, 2.1);
    expect(bench.kinds).toEqual(['open', 'close', 'open']);
    expect(bench.state).toMatchObject({ kind: 'degraded', trouble: 'reconnecting' });
  });

  test('is none at 0', () => {
    const bench = new Bench({ maxCpus: 0 });
    bench.goLive();
    use(bench, 600, 64);
    expect(bench.kinds).toEqual(['open']);
  });
});

describe('whatever happens in whatever order', () => {
  const troubles: CaptureTrouble[] = ['silent', 'black', 'frozen', 'audio-lost', 'reconnecting', 'slow'];
  const news: fc.Arbitrary<StayNews> = fc.oneof(
    fc.constant<StayNews>({ kind: 'lobby' }),
    fc.constant<StayNews>({ kind: 'live' }),
    fc.constant<StayNews>({ kind: 'meeting-ended' }),
    fc.constant<StayNews>({ kind: 'closed' }),
    fc
      .constantFrom(...CAPTURE_FAILURES)
      .map((failure): StayNews => ({ kind: 'failed', failure, detail: 'x', hasBegun: true })),
    fc
      .record({ trouble: fc.constantFrom(...troubles), isFault: fc.boolean() })
      .map((one): StayNews => ({ kind: 'trouble', detail: 'x', ...one })),
    fc.constantFrom(...troubles).map((trouble): StayNews => ({ kind: 'well', trouble })),
  );
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 120_000 }) }) },
    { weight: 4, arbitrary: fc.record({ news, back: fc.integer({ min: 0, max: 2 }) }) },
    { weight: 3, arbitrary: fc.constantFrom(1, 1, 1, 2).map((createTime) => ({ createTime })) },
    { weight: 1, arbitrary: fc.boolean().map((refused) => ({ refused })) },
    { weight: 1, arbitrary: fc.constantFrom('over', 'stop', 'target-live').map((kind) => ({ kind })) },
    { weight: 1, arbitrary: fc.constant({ closes: true }) },
  );
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  function play(steps: readonly Step[], isWatched: boolean) {
    const bench = new Bench({ isWatched, maxMs: 86_400_000 });
    bench.closesAtOnce = false;
    const open = new Set<number>();
    let seen = 0;
    const look = () => {
      for (const action of bench.done.slice(seen)) {
        if (action.kind === 'open') {
          open.add(action.stay);
          expect(open.size, 'browsers at a time').toBe(1);
        }
        if (action.kind === 'close') expect(open.has(action.stay)).toBe(true);
        if (action.kind === 'finish') expect(open.size).toBe(0);
      }
      seen = bench.done.length;
    };
    const close = (stay: number) => {
      look();
      if (!open.delete(stay)) return;
      bench.news({ kind: 'closed' }, stay);
      look();
    };
    for (const one of steps) {
      if ('pass' in one) bench.pass(one.pass);
      else if ('news' in one) {
        const stay = bench.stay - one.back;
        if (one.news.kind === 'closed') close(stay);
        else bench.news(one.news, stay);
      } else if ('createTime' in one) bench.give({ kind: 'running', createTime: one.createTime, isAlone: false });
      else if ('refused' in one) bench.give({ kind: 'target-lost', detail: 'x', refused: one.refused });
      else if ('kind' in one) bench.give({ kind: one.kind as 'over' | 'stop' | 'target-live' });
      else for (const stay of open) close(stay);
      look();
    }
    return { bench, open, close, look };
  }

  test('there are never two browsers, nothing follows the end, and it ends when it is told to', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isWatched) => {
        const { bench, open, close } = play(steps, isWatched);
        bench.give({ kind: 'stop' });
        for (const stay of [...open]) close(stay);
        expect(['ended', 'failed']).toContain(bench.state.kind);
        expect(bench.kinds.filter((kind) => kind === 'finish')).toHaveLength(1);
        expect(bench.kinds.at(-1)).toBe('finish');
        expect(bench.machine.deadline).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  test('it is never stuck: a browser that works and a meeting that runs bring it live again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, isWatched) => {
        const { bench, open, close, look } = play(steps, isWatched);
        bench.give({ kind: 'target-live' });
        for (let round = 0; round < 400 && !['live', 'ended', 'failed'].includes(bench.state.kind); round += 1) {
          const closing = bench.kinds.lastIndexOf('close') > bench.kinds.lastIndexOf('open');
          if (closing) for (const stay of open) close(stay);
          bench.give({ kind: 'running', createTime: 3, isAlone: false });
          for (const trouble of troubles) bench.news({ kind: 'well', trouble });
          bench.news({ kind: 'live' });
          bench.pass(1000);
          look();
        }
        expect(['live', 'ended', 'failed']).toContain(bench.state.kind);
      }),
      { numRuns: 300 },
    );
  });
});
