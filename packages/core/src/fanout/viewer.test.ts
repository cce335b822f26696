import { EventEmitter } from 'node:events';
import { millis } from '@sluice/media';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FanOut } from './fan-out.js';
import { FlushScheduler } from './flush-scheduler.js';
import type { Viewer, ViewerEnd, ViewerSocket } from './viewer.js';

/** Takes all, or holds what it is given until the test drains it. */
class FakeSocket extends EventEmitter implements ViewerSocket {
  text = '';
  bytes = 0;
  blocked = false;
  writableLength = 0;
  /** Says "full" as node does, though the kernel has taken everything. */
  overcautious = false;

  write(bytes: Buffer): boolean {
    this.text += bytes.toString();
    this.bytes += bytes.length;
    if (this.blocked) this.writableLength += bytes.length;
    return !this.blocked && !this.overcautious;
  }

  cork(): void {}
  uncork(): void {}

  drain(): void {
    this.blocked = false;
    this.writableLength = 0;
    this.emit('drain');
  }
}

const LIMITS = { maxLag: millis(1000), maxStall: millis(5000), maxSkips: 1_000_000, skipWindow: millis(60_000) };

function harness(limits: Partial<typeof LIMITS> = {}, maxBytes = 10_000) {
  const time = { now: 0 };
  const clock = { monotonic: () => millis(time.now), wall: () => millis(time.now) };
  const fanOut = new FanOut({
    clock,
    // With time faked, its passes never come by themselves.
    scheduler: new FlushScheduler({ restFactor: 0, maxRest: millis(0), maxDelay: millis(0) }, clock),
    log: { retention: millis(1000), maxBytes },
    viewers: { ...LIMITS, ...limits },
  });
  const say = (text: string) => fanOut.append(Buffer.from(text), text.startsWith('K') ? 'keyframe' : 'none', true);
  const flush = () => fanOut.flush(clock.monotonic());
  const attach = () => {
    const socket = new FakeSocket();
    const ends: ViewerEnd[] = [];
    return { socket, ends, viewer: fanOut.attach(socket, (end) => ends.push(end)) };
  };
  return { time, fanOut, say, flush, attach };
}

describe('Viewer', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('goes on at once where a write was called full but nothing is left to send', () => {
    const { say, flush, attach } = harness();
    say('K1');
    const { socket } = attach();
    socket.overcautious = true;
    for (const text of ['a', 'b', 'c']) {
      say(text);
      flush();
    }
    expect(socket.text).toBe('K1abc');
  });

  it('counts a skip late after the last one as the first', () => {
    const { time, say, flush, attach } = harness({ maxSkips: 1, skipWindow: millis(60_000) });
    say('K');
    const { socket, ends, viewer } = attach();
    const fallBehind = () => {
      socket.blocked = true;
      say('x');
      flush();
      for (const text of ['y', 'K']) {
        time.now += 1500;
        say(text);
        flush();
      }
      socket.drain();
    };
    fallBehind();
    time.now += 60_001;
    fallBehind();
    expect([viewer.skips, ends]).toEqual([2, []]);
    fallBehind();
    expect(ends).toEqual([{ clean: false, reason: expect.stringContaining('too slow') }]);
  });

  it('stalls only past maxStall, and not while its socket takes what it is given', () => {
    const { time, fanOut, say, flush, attach } = harness();
    say('K');
    const stalled = attach();
    const well = attach();
    stalled.socket.blocked = true;
    say('a');
    flush();
    for (const [at, ended] of [
      [5000, 0],
      [5001, 1],
    ] as const) {
      time.now = at;
      fanOut.sweep(millis(at));
      expect([stalled.ends.length, well.ends.length]).toEqual([ended, 0]);
    }
  });

  it('leaves no listener on the socket, and writes nothing more, once it is detached', () => {
    const { fanOut, say, flush, attach } = harness();
    say('K');
    const { socket, ends, viewer } = attach();
    expect(socket.listenerCount('drain')).toBe(1);
    fanOut.detach(viewer);
    fanOut.detach(viewer);
    say('a');
    flush();
    fanOut.end('over');
    expect([socket.text, socket.listenerCount('drain'), fanOut.size, ends]).toEqual(['K', 0, 0, []]);
  });

  it('is given 256 KiB at most before a full socket is looked at again', () => {
    const { say, flush, attach } = harness({}, 10_000_000);
    say(`K${'x'.repeat(50_000)}`);
    flush();
    for (let unit = 0; unit < 40; unit++) {
      say('y'.repeat(50_000));
      flush();
    }
    const { socket } = attach();
    expect(socket.bytes).toBe(41 * 50_000 + 1);
    const slow = new FakeSocket();
    slow.blocked = true;
    const again = harness({}, 10_000_000);
    again.say('K');
    again.flush();
    for (let unit = 0; unit < 40; unit++) {
      again.say('y'.repeat(50_000));
      again.flush();
    }
    again.fanOut.attach(slow, () => {});
    expect(slow.writableLength).toBeLessThanOrEqual(256 * 1024 + 50_000);
  });

  it('gets a run of the stream from a keyframe on, whole but for a gap at each skip that is counted', () => {
    const step = fc.oneof(
      { weight: 10, arbitrary: fc.constantFrom('frame', 'frame', 'keyframe', 'flush') },
      { weight: 4, arbitrary: fc.constantFrom('attach', 'block', 'block', 'drain', 'wait') },
    );
    let skipsSeen = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(3)), { minLength: 60, maxLength: 200 }), (script) => {
        const { time, say, flush, attach } = harness();
        const viewers: { socket: FakeSocket; viewer: Viewer; joined: number }[] = [];
        let sent = 0;
        let newestKey = -1;
        const firstKeyFrom = new Map<number, number>();
        for (const [what, which] of script) {
          time.now += 1;
          const chosen = viewers[which % Math.max(1, viewers.length)];
          if (what === 'keyframe') {
            newestKey = sent;
            for (let back = sent; back >= 0 && !firstKeyFrom.has(back); back--) firstKeyFrom.set(back, sent);
          }
          if (what === 'frame' || what === 'keyframe') say(`${what === 'frame' ? 'f' : 'K'}${sent++};`);
          else if (what === 'flush') flush();
          else if (what === 'wait') {
            // As ever: what is there is written long before a second has passed.
            flush();
            time.now += 1500;
          } else if (what === 'attach') viewers.push({ ...attach(), joined: newestKey >= 0 ? newestKey : sent });
          else if (what === 'block' && chosen !== undefined) chosen.socket.blocked = true;
          else if (what === 'drain') chosen?.socket.drain();
        }
        flush();
        for (const { socket } of viewers) socket.drain();
        for (const { socket, viewer, joined } of viewers) {
          const units = socket.text.split(';').slice(0, -1);
          const numbers = units.map((unit) => Number(unit.slice(1)));
          // It begins at the newest keyframe there was, or at the first to come, unless it lagged before that.
          const start = firstKeyFrom.get(joined);
          if (start === undefined || units.length === 0) {
            expect([start, units]).toEqual([undefined, []]);
            continue;
          }
          expect(numbers[0]).toBe(start);
          let gaps = 0;
          for (let index = 1; index < numbers.length; index++) {
            const [before = 0, here = 0] = [numbers[index - 1], numbers[index]];
            if (here === before + 1) continue;
            gaps += 1;
            expect(here).toBeGreaterThan(before);
            expect(units[index]).toMatch(/^K/);
          }
          // Once drained, it has got all that there is; a skip to the very next unit leaves no gap.
          expect(numbers.at(-1)).toBe(sent - 1);
          expect(gaps).toBeLessThanOrEqual(viewer.skips);
          expect(viewer.bytesSent).toBe(socket.bytes);
          skipsSeen += gaps;
        }
      }),
      { numRuns: 500 },
    );
    // Else the script is too tame to prove anything.
    expect(skipsSeen).toBeGreaterThan(20);
  });
});
