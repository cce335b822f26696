import { EventEmitter } from 'node:events';
import { millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FanOut } from './fan-out.js';
import { FlushScheduler } from './flush-scheduler.js';
import type { ViewerEnd, ViewerSocket } from './viewer.js';

/** A socket that the test can fill and drain. */
class FakeSocket extends EventEmitter implements ViewerSocket {
  readonly written: Buffer[] = [];
  writableLength = 0;
  full = false;

  write(bytes: Buffer): boolean {
    this.written.push(bytes);
    if (this.full) this.writableLength += bytes.length;
    return !this.full;
  }

  cork(): void {}
  uncork(): void {}

  drain(): void {
    this.full = false;
    this.writableLength = 0;
    this.emit('drain');
  }

  get text(): string {
    return Buffer.concat(this.written).toString();
  }
}

class Harness {
  now = 0;
  readonly clock = { monotonic: () => millis(this.now), wall: () => millis(this.now) };
  readonly fanOut = new FanOut({
    clock: this.clock,
    // Flushes are the test's own.
    scheduler: new FlushScheduler(
      { restFactor: 0, maxRest: millis(0), maxDelay: millis(1_000_000) },
      {
        monotonic: () => millis(-1),
        wall: () => millis(0),
      },
    ),
    log: { retention: millis(1000), maxBytes: 10_000 },
    viewers: { maxLag: millis(1000), maxStall: millis(5000), maxSkips: 2, skipWindow: millis(60_000) },
  });

  units(...texts: readonly string[]): void {
    for (const text of texts) this.fanOut.append(Buffer.from(text), text.startsWith('K') ? 'keyframe' : 'none', true);
  }

  flush(): void {
    this.fanOut.flush(this.clock.monotonic());
  }

  attach(): { socket: FakeSocket; ends: ViewerEnd[] } {
    const socket = new FakeSocket();
    const ends: ViewerEnd[] = [];
    this.fanOut.attach(socket, (end) => ends.push(end));
    return { socket, ends };
  }
}

describe('FanOut', () => {
  it('begins a viewer at the newest keyframe, behind header and configurations', () => {
    const harness = new Harness();
    harness.fanOut.setJoin(Buffer.from('<header>'), Buffer.from('<config>'));
    harness.units('K1', 'a', 'K2', 'b');
    harness.flush();
    harness.units('c');
    const { socket } = harness.attach();
    expect(socket.text).toBe('<header><config>K2bc');
    harness.units('d');
    harness.flush();
    expect(socket.text).toBe('<header><config>K2bcd');
  });

  it('lets a viewer that came before the first keyframe wait for it', () => {
    const harness = new Harness();
    const { socket } = harness.attach();
    harness.units('x', 'y');
    harness.flush();
    expect(socket.text).toBe('');
    harness.units('K1', 'a');
    harness.flush();
    expect(socket.text).toBe('K1a');
  });

  it('writes the same memory to all viewers, once per flush', () => {
    const harness = new Harness();
    harness.units('K1');
    harness.flush();
    const viewers = Array.from({ length: 50 }, () => harness.attach());
    harness.units('a', 'b', 'c');
    harness.flush();
    const last = viewers.map(({ socket }) => socket.written.at(-1));
    expect(new Set(last).size).toBe(1);
    expect(last[0]?.toString()).toBe('abc');
    expect(viewers.every(({ socket }) => socket.written.length === 2)).toBe(true);
  });

  it('moves a viewer that lags on to the newest keyframe, with the configurations again only if they changed', () => {
    const harness = new Harness();
    harness.fanOut.setJoin(Buffer.from('H'), Buffer.from('<1>'));
    harness.units('K1');
    const { socket } = harness.attach();
    socket.full = true;
    harness.units('a');
    harness.flush();
    for (const text of ['b', 'K2', 'c', 'K3']) {
      harness.now += 700;
      harness.units(text);
      harness.flush();
    }
    socket.drain();
    expect(socket.text).toBe('H<1>K1aK3');
    socket.full = true;
    harness.units('d');
    harness.flush();
    harness.fanOut.setJoin(Buffer.from('H'), Buffer.from('<2>'));
    for (const text of ['e', 'K4', 'f', 'K5']) {
      harness.now += 700;
      harness.units(text);
      harness.flush();
    }
    socket.drain();
    expect(socket.text).toBe('H<1>K1aK3d<2>K5');
  });

  it('evicts a viewer that has to be moved on again and again', () => {
    const harness = new Harness();
    harness.units('K0');
    const { socket, ends } = harness.attach();
    for (let round = 1; round <= 3; round++) {
      socket.full = true;
      harness.units('x');
      harness.flush();
      for (const text of ['y', `K${round}`]) {
        harness.now += 1500;
        harness.units(text);
        harness.flush();
      }
      socket.drain();
    }
    expect(ends).toEqual([{ clean: false, reason: 'too slow: fell behind the stream 3 times in a row' }]);
    expect(harness.fanOut.size).toBe(0);
  });

  it('evicts a viewer that reads nothing, and holds little for it meanwhile', () => {
    const harness = new Harness();
    harness.units('K0');
    const { socket, ends } = harness.attach();
    socket.full = true;
    for (let second = 0; second < 7; second++) {
      harness.units(`K${'x'.repeat(1000)}`);
      harness.flush();
      harness.now += 1000;
      harness.fanOut.sweep(harness.clock.monotonic());
    }
    expect(ends).toEqual([{ clean: false, reason: 'stalled: the viewer has read nothing for 6 s' }]);
    expect(socket.writableLength).toBeLessThan(2000);
  });

  it('gives a viewer of a stream without pictures the last second', () => {
    const harness = new Harness();
    for (let at = 0; at < 30; at++) {
      harness.fanOut.append(Buffer.from(`${at},`), 'anywhere', true);
      harness.flush();
      harness.now += 100;
    }
    const { socket } = harness.attach();
    expect(socket.text).toBe('20,21,22,23,24,25,26,27,28,29,');
  });

  it('lets all viewers go politely at the end, with what was left to write', () => {
    const harness = new Harness();
    harness.units('K1');
    const { socket, ends } = harness.attach();
    harness.units('last');
    harness.fanOut.end('the stream is over');
    expect(socket.text).toBe('K1last');
    expect(ends).toEqual([{ clean: true, reason: 'the stream is over' }]);
  });

  it('gives each viewer a run from a keyframe on, with nothing lost or doubled but at skips', () => {
    const action = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('frame', 'frame', 'flush', 'keyframe') },
      { weight: 1, arbitrary: fc.constantFrom('attach', 'block', 'drain', 'wait') },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (script) => {
        const harness = new Harness();
        const viewers: FakeSocket[] = [];
        const sent: string[] = [];
        const say = (text: string) => {
          sent.push(text);
          harness.units(text);
        };
        for (const step of script) {
          harness.now += 10;
          if (step === 'frame') say(`f${sent.length};`);
          else if (step === 'keyframe') say(`K${sent.length};`);
          else if (step === 'flush') harness.flush();
          else if (step === 'attach') viewers.push(harness.attach().socket);
          else if (step === 'wait') harness.now += 800;
          else
            for (const socket of viewers)
              if (step === 'block') socket.full = true;
              else socket.drain();
        }
        for (const socket of viewers) {
          const got = socket.text.split(';').filter((text) => text !== '');
          got.forEach((text, index) => {
            const previous = got[index - 1];
            const number = Number(text.slice(1));
            const follows = previous !== undefined && number === Number(previous.slice(1)) + 1;
            // Where it doesn't follow, a viewer began or was moved on: at a keyframe, and forward.
            if (!follows) {
              expect(text[0]).toBe('K');
              expect(number).toBeGreaterThan(previous === undefined ? -1 : Number(previous.slice(1)));
            }
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});
