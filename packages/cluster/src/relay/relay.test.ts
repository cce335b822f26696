import {
  EventBus,
  loadConfig,
  type Output,
  parseStreamPath,
  type Session,
  type Stream,
  type StreamDescription,
  StreamRouter,
  silentLogger,
} from '@sluice/core';
import {
  aacTrackConfig,
  h264TrackConfig,
  type MediaEvent,
  micros,
  millis,
  type Sample,
  type TimedMetadata,
} from '@sluice/media';
import { afterEach, describe, expect, it } from 'vitest';
import type { RelayFrame } from './frame.js';
import { type RelayBatch, type RelayLink, RelayOutput, type RelaySink, relayOutputKind } from './relay-output.js';
import { RelayedStream } from './relayed-stream.js';
import { FrameReader } from './wire/frame-reader.js';

const PATH = parseStreamPath('live/show');
const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO: MediaEvent = { type: 'config', config: h264TrackConfig(0, Buffer.from(AVCC, 'hex')) };
const AUDIO: MediaEvent = { type: 'config', config: aacTrackConfig(1, Buffer.from('1190', 'hex')) };
const picture = (ms: number, keyframe = false): MediaEvent => ({
  type: 'sample',
  sample: { track: 0, kind: 'video', dts: micros(ms * 1000), pts: micros(ms * 1000), keyframe, data: Buffer.alloc(9) },
});
const sound = (ms: number): MediaEvent => ({
  type: 'sample',
  sample: {
    track: 1,
    kind: 'audio',
    dts: micros(ms * 1000),
    pts: micros(ms * 1000),
    keyframe: true,
    data: Buffer.alloc(3),
  },
});

const session: Session = {
  id: 'one',
  action: 'publish',
  protocol: 'rtmp',
  path: PATH,
  ip: '192.0.2.1',
  userAgent: undefined,
  identity: { kind: 'anonymous' },
  client: {},
  query: '',
  fingerprint: 'one',
  openedAt: millis(0),
};

/** Notes what it is told, with dts in ms. */
class Recorder implements Output {
  readonly told: string[] = [];
  viewers = 1;
  idleSince = undefined;

  configure({ tracks }: StreamDescription): void {
    this.told.push(tracks.map(({ codec }) => codec).join('+'));
  }
  sample({ kind, keyframe, dts }: Sample): void {
    this.told.push(`${kind === 'audio' ? 'a' : keyframe ? 'K' : 'f'}${dts / 1000}`);
  }
  timedMetadata({ kind, at }: TimedMetadata): void {
    this.told.push(`${kind}@${at / 1000}`);
  }
  discontinuity(): void {
    this.told.push('seam');
  }
  end(reason: string): void {
    this.told.push(`end: ${reason}`);
  }
  sweep(): void {}
  /** What is new since the last time that it was asked. */
  take(): string[] {
    return this.told.splice(0);
  }
}
const recorder = { name: 'recorder', create: () => new Recorder() };

/** A line in memory, with a valve. */
class Line implements RelaySink {
  readonly batches: RelayBatch[] = [];
  readonly reasons: string[] = [];
  viewers = 1;
  isOpen = true;
  #read = 0;

  write(batch: RelayBatch): boolean {
    this.batches.push(batch);
    return this.isOpen;
  }
  ended(reason: string): void {
    this.reasons.push(reason);
  }
  frames(): RelayFrame[] {
    const bytes = this.batches.slice(this.#read).flatMap(({ pieces }) => pieces);
    this.#read = this.batches.length;
    return new FrameReader().push(Buffer.concat(bytes)).map(({ frame }) => frame as RelayFrame);
  }
  /** What is new, in short. */
  take(): string[] {
    return this.frames().map((frame) => (frame.type === 'sample' ? `${frame.sample.dts / 1000}` : frame.type));
  }
}

const routers: StreamRouter[] = [];

function process(wall = 5_000_000, text = '') {
  const time = { wall, now: 0 };
  const settings = loadConfig({ file: { name: 'x.yml', text: `publish: { graceSeconds: 5 }\n${text}` } });
  const clock = { monotonic: () => millis(time.now), wall: () => millis(time.wall) };
  const router = new StreamRouter({
    clock,
    events: new EventBus(silentLogger),
    settingsFor: () => settings,
    convertSound: () => undefined,
  });
  routers.push(router);
  const deferred: (() => void)[] = [];
  const kind = relayOutputKind({
    nextStream: () => 1,
    now: clock.monotonic,
    limits: { maxStall: millis(10_000), maxSkips: 2, skipWindow: millis(60_000) },
    defer: (flush) => deferred.push(flush),
  });
  /** The turn of the event loop ends. */
  const turn = () => {
    for (const flush of deferred.splice(0)) flush();
  };
  const publish = () => router.publish(session, { cut: () => undefined });
  return { time, router, kind, turn, publish };
}

function origin() {
  const made = process();
  const publication = made.publish();
  const { stream } = publication;
  const write = (...events: readonly MediaEvent[]) => {
    for (const event of events) publication.write(event);
  };
  return { ...made, publication, stream, write, relay: (of: Stream = stream) => of.output(made.kind) };
}

afterEach(() => {
  for (const router of routers.splice(0)) router.close('the test is over');
});

describe('RelayOutput', () => {
  it('packs each turn of the event loop once for all lines', () => {
    const { write, relay, turn } = origin();
    write(VIDEO, AUDIO, picture(0, true));
    const [first, second] = [new Line(), new Line()];
    for (const line of [first, second]) relay().attach(line);
    expect(first.take()).toEqual(['wall-origin', 'description', '1000']);
    write(picture(40), sound(40));
    expect(first.batches).toHaveLength(1);
    turn();
    expect([first.batches.length, second.batches.at(-1) === first.batches.at(-1)]).toEqual([2, true]);
    expect(first.take()).toEqual(['1040', '1040']);
    expect([relay().viewers, relay().idleSince]).toEqual([2, undefined]);
  });

  it('gives a line that comes later what counts, and then nothing twice', () => {
    const { write, relay, turn } = origin();
    write(VIDEO, AUDIO, picture(0, true), picture(40), picture(80, true), sound(80));
    relay().attach(new Line());
    write({ type: 'timed-metadata', kind: 'id3', at: micros(90_000), data: Buffer.from('ID3') });
    write(picture(120));
    const late = new Line();
    relay().attach(late);
    turn();
    write(picture(160));
    turn();
    expect(late.take()).toEqual(['wall-origin', 'description', '1080', '1080', 'timed-metadata', '1120', '1160']);
  });

  it('has a line wait for a keyframe where none is remembered, and asks for one', () => {
    const { router, turn, kind } = process(0, 'gopCache: { maxFrames: 2 }');
    let asked = 0;
    const publication = router.publish(session, { cut: () => undefined, requestKeyframe: () => (asked += 1) });
    for (const event of [VIDEO, picture(0, true), picture(40), picture(80)]) publication.write(event);
    const line = new Line();
    publication.stream.output(kind).attach(line);
    expect([line.take(), asked]).toEqual([['wall-origin', 'description'], 1]);
    for (const event of [picture(120), picture(160, true), picture(200)]) publication.write(event);
    turn();
    expect(line.take()).toEqual(['description', '1160', '1200']);
  });

  it('moves a line that has no room on to a keyframe, and lets it go when that happens again and again', () => {
    const { write, relay, turn, time } = origin();
    write(VIDEO, picture(0, true));
    const line = new Line();
    const link = relay().attach(line);
    line.isOpen = false;
    write(picture(40));
    turn();
    line.isOpen = true;
    link.resume();
    expect(link.skips).toBe(0);
    line.isOpen = false;
    write(picture(80));
    turn();
    write(picture(120), picture(160, true), picture(200));
    turn();
    line.take();
    line.isOpen = true;
    link.resume();
    write(picture(240));
    turn();
    expect([line.take(), link.skips]).toEqual([['wall-origin', 'description', '1160', '1200', '1240'], 1]);
    for (const at of [300, 400]) {
      line.isOpen = false;
      write(picture(at, true));
      turn();
      write(picture(at + 10));
      turn();
      line.isOpen = true;
      link.resume();
    }
    expect(line.reasons).toEqual(['too slow: the line fell behind the stream 3 times in a row']);
    expect(relay().idleSince).toBe(time.now);
  });

  it('lets a line go that stays full, and tells all when the stream is over', () => {
    const { write, relay, turn, stream, router } = origin();
    write(VIDEO, picture(0, true));
    const [stuck, fine] = [new Line(), new Line()];
    for (const line of [stuck, fine]) relay().attach(line);
    stuck.isOpen = false;
    write(picture(40));
    turn();
    relay().sweep(millis(10_001));
    expect([stuck.reasons, fine.reasons]).toEqual([['stalled: the line has had no room for 10 s'], []]);
    fine.isOpen = false;
    write(picture(80));
    turn();
    fine.take();
    router.close('the server goes down');
    expect([fine.take(), fine.reasons, stream.ended]).toEqual([['end'], ['the server goes down'], true]);
  });
});

/** An origin, and another process that follows it. */
function pair() {
  const from = origin();
  const to = process(9_000_000);
  const cuts: string[] = [];
  const relayed = new RelayedStream({ router: to.router, session, control: { cut: (reason) => cuts.push(reason) } });
  const line = new Line();
  const attach = () => from.relay().attach(line);
  const carry = () => {
    from.turn();
    for (const frame of line.frames()) relayed.take(frame);
  };
  return { from, to, relayed, line, attach, carry, cuts };
}

describe('RelayedStream', () => {
  it('has the times, the wall times and the seams of the stream that it follows', () => {
    const { from, to, attach, carry } = pair();
    from.write(VIDEO, AUDIO, picture(77, true), picture(117));
    attach();
    carry();
    const stream = to.router.find(PATH);
    const output = stream?.output(recorder);
    from.write(sound(120), picture(157, true));
    carry();
    from.publication.restart();
    from.write(picture(3_000, true));
    carry();
    const timed = output?.take().filter((each) => each !== 'h264+aac');
    const last = (from.stream.keyframe?.sample.dts ?? 0) / 1000;
    expect(timed).toEqual(['K1000', 'f1040', 'a1043', 'K1080', 'seam', `K${last}`]);
    expect(stream?.isFollowing).toBe(true);
    expect(stream?.wallTimeOf(micros(1_040_000))).toBe(from.stream.wallTimeOf(micros(1_040_000)));
    expect(stream?.description).toEqual(from.stream.description);
  });

  it('goes on without a seam where it has joined anew in time', () => {
    const { from, to, attach, carry, line } = pair();
    from.write(VIDEO, picture(0, true));
    const link = attach();
    carry();
    const output = to.router.find(PATH)?.output(recorder);
    from.write(picture(40));
    carry();
    link.detach();
    from.write(picture(80));
    line.take();
    attach();
    carry();
    from.write(picture(120));
    carry();
    expect(output?.take().filter((each) => each !== 'h264')).toEqual(['K1000', 'f1040', 'f1080', 'f1120']);
  });

  it('keeps its viewers while the line is lost, and ends with the stream', () => {
    const { from, to, attach, carry, relayed } = pair();
    from.write(VIDEO, picture(0, true));
    const link = attach();
    carry();
    const stream = to.router.find(PATH);
    const output = stream?.output(recorder);
    link.detach();
    relayed.lost('the line is gone');
    expect(stream?.state).toBe('waiting');
    from.write(picture(40), picture(80, true));
    attach();
    carry();
    expect([stream?.state, stream?.isFollowing]).toEqual(['live', true]);
    from.router.close('over');
    carry();
    expect(output?.take().filter((each) => each !== 'h264')).toEqual(['K1000', 'seam', 'K1080', 'end: over']);
    expect([relayed.isOver, to.router.find(PATH)]).toEqual([true, undefined]);
  });

  it('hands its viewers over to an encoder that comes here, behind what they have seen', () => {
    const { from, to, attach, carry, cuts, relayed } = pair();
    from.write(VIDEO, AUDIO, picture(0, true), picture(5000), sound(5000), picture(9000, true));
    attach();
    carry();
    const output = to.router.find(PATH)?.output(recorder);
    output?.take();
    const { stream, write } = to.publish();
    expect([cuts, relayed.isOver]).toEqual([['replaced by another publisher'], true]);
    for (const event of [VIDEO, AUDIO, picture(0, true), sound(10), picture(40)]) write(event);
    carry();
    const told = (output?.take() ?? []).filter((each) => each !== 'h264+aac');
    expect(told[0]).toBe('seam');
    const times = told.slice(1).map((each) => Number(each.slice(1)));
    expect(times).toHaveLength(3);
    expect(Math.min(...times)).toBeGreaterThan(10_000);
    expect(Math.max(...times)).toBeLessThan(11_200);
    expect(stream.isFollowing).toBe(false);
  });

  it('leaves an encoder of its own process alone', () => {
    const { from, to, attach, carry } = pair();
    const { stream } = to.publish();
    from.write(VIDEO, picture(0, true));
    attach();
    expect(carry).toThrow(/live\/show is being published here, from 192\.0\.2\.1/);
    expect(stream.state).toBe('live');
  });
});

describe('relayOutputKind', () => {
  it('is one output of a stream for all that use the same kind', () => {
    const { stream, kind } = origin();
    expect(stream.output(kind)).toBeInstanceOf(RelayOutput);
    const links: RelayLink[] = [new Line(), new Line()].map((line) => stream.output(kind).attach(line));
    expect(new Set(links.map((link) => link.stream)).size).toBe(1);
  });
});
