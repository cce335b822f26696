import { EventEmitter } from 'node:events';
import {
  type Admission,
  FanOut,
  FlushScheduler,
  parseStreamPath,
  type SessionControl,
  type ViewerEnd,
  type ViewerSocket,
} from '@sluice/core';
import {
  aacTrackConfig,
  FlvDemuxer,
  h264TrackConfig,
  micros,
  millis,
  type Sample,
  vp8TrackConfig,
} from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { flvFraming } from './framing.js';
import { play } from './playback.js';
import type { MediaSelection } from './selection.js';
import { TagOutput } from './tag-output.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const AUDIO = aacTrackConfig(1, Buffer.from('1190', 'hex'));
const OTHER_AUDIO = aacTrackConfig(1, Buffer.from('1210', 'hex'));

class FakeSocket extends EventEmitter implements ViewerSocket {
  readonly written: Buffer[] = [];
  readonly writableLength = 0;
  write(bytes: Buffer): boolean {
    this.written.push(bytes);
    return true;
  }
  cork(): void {}
  uncork(): void {}

  get size(): number {
    return this.written.reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

const sample = (kind: 'video' | 'audio', ms: number, keyframe = kind === 'audio'): Sample => ({
  track: kind === 'video' ? 0 : 1,
  kind,
  dts: micros(ms * 1000),
  pts: micros(ms * 1000),
  keyframe,
  data: kind === 'video' ? Buffer.from([0, 0, 0, 2, keyframe ? 0x65 : 0x41, 0x88]) : Buffer.from([1, 2, 3]),
});

function outputOf(selection: MediaSelection = { audio: true, video: true }) {
  const unsupported: string[] = [];
  const clock = { monotonic: () => millis(0), wall: () => millis(0) };
  const fanOut = new FanOut({
    clock,
    scheduler: new FlushScheduler({ restFactor: 0, maxRest: millis(0), maxDelay: millis(0) }, clock),
    log: { retention: millis(1000), maxBytes: 100_000 },
    viewers: { maxLag: millis(1000), maxStall: millis(5000), maxSkips: 3, skipWindow: millis(60_000) },
  });
  const output = new TagOutput(fanOut, flvFraming, selection, ({ codec }) => unsupported.push(codec));
  const flush = () => fanOut.flush(millis(0));
  return { output, flush, unsupported };
}

/** What a player makes of it: `v` and `a` are configurations, `K`, `f` and `s` keyframes, pictures and sound. */
function played(socket: FakeSocket): string {
  return new FlvDemuxer()
    .push(Buffer.concat(socket.written))
    .map((event) => {
      if (event.type === 'config') return event.config.kind === 'video' ? 'v' : 'a';
      if (event.type !== 'sample') return '';
      return event.sample.kind === 'audio' ? 's' : event.sample.keyframe ? 'K' : 'f';
    })
    .join('');
}

function admission() {
  const closed: [string, number][] = [];
  const hold: { control?: SessionControl } = {};
  const granted: Admission = {
    session: {
      id: 'x',
      action: 'play',
      protocol: 'rtmp',
      path: parseStreamPath('live/show'),
      ip: '::1',
      userAgent: undefined,
      identity: { kind: 'anonymous' },
      client: {},
      query: '',
      fingerprint: 'f',
      openedAt: millis(0),
    },
    bind: (control) => {
      hold.control = control;
    },
    close: (reason) => closed.push([reason, hold.control?.traffic().sent ?? 0]),
  };
  return { granted, closed, hold };
}

describe('tags', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('begin with configurations and the newest keyframe, packed once for all', () => {
    const { output, flush } = outputOf();
    output.configure({ tracks: [VIDEO, AUDIO], metadata: {} });
    for (const ms of [0, 40, 80]) output.sample(sample('video', ms, ms !== 40));
    output.sample(sample('audio', 90));
    const sockets = [new FakeSocket(), new FakeSocket()];
    for (const socket of sockets) output.attach(socket, () => {});
    output.sample(sample('video', 120));
    flush();
    expect(sockets.map(played)).toEqual(['vaKsf', 'vaKsf']);
    expect(sockets[0]?.written.length).toBeGreaterThan(2);
    sockets[0]?.written.forEach((bytes, index) => {
      expect(sockets[1]?.written[index]).toBe(bytes);
    });
  });

  it('tell a viewer of a changed configuration where it changes, and of the others nothing', () => {
    const { output, flush } = outputOf();
    output.configure({ tracks: [VIDEO, AUDIO], metadata: {} });
    output.sample(sample('video', 0, true));
    const socket = new FakeSocket();
    output.attach(socket, () => {});
    output.configure({ tracks: [VIDEO, AUDIO], metadata: { title: 'x' } });
    output.sample(sample('audio', 10));
    output.configure({ tracks: [VIDEO, OTHER_AUDIO], metadata: { title: 'x' } });
    output.sample(sample('audio', 20));
    flush();
    expect(played(socket)).toBe('vaKsas');
    // Once at the beginning; a demuxer would pass over a second one.
    expect(Buffer.concat(socket.written).toString('hex').split(AVCC)).toHaveLength(2);
  });

  it('leave out what FLV has no form for, and say so', () => {
    const { output, flush, unsupported } = outputOf();
    output.configure({ tracks: [vp8TrackConfig(0, Buffer.from('d01a009d012a80026801', 'hex')), AUDIO], metadata: {} });
    const socket = new FakeSocket();
    output.attach(socket, () => {});
    output.sample(sample('video', 0, true));
    output.sample(sample('audio', 10));
    flush();
    expect(played(socket)).toBe('as');
    expect(unsupported).toEqual(['vp8']);
  });

  it('carry only what was asked for', () => {
    const made = [
      { audio: true, video: false },
      { audio: false, video: true },
    ].map((selection) => {
      const { output, flush } = outputOf(selection);
      output.configure({ tracks: [VIDEO, AUDIO], metadata: {} });
      output.sample(sample('video', 0, true));
      output.sample(sample('audio', 10));
      const socket = new FakeSocket();
      output.attach(socket, () => {});
      flush();
      return [played(socket), socket.written[0]?.[4]];
    });
    // Byte 4 of an FLV header says which media there are: 4 audio, 1 video.
    expect(made).toEqual([
      ['as', 4],
      ['vK', 1],
    ]);
  });
});

describe('play', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const running = () => {
    const made = outputOf();
    made.output.configure({ tracks: [VIDEO, AUDIO], metadata: {} });
    made.output.sample(sample('video', 0, true));
    return made;
  };

  it('goes on with another output, and counts the bytes of both', () => {
    const [first, second] = [running(), running()];
    const socket = new FakeSocket();
    const { granted, closed } = admission();
    const playback = play(first.output, socket, granted, () => {});
    playback.switchTo(first.output);
    const before = socket.size;
    playback.switchTo(second.output);
    expect([first.output.viewers, second.output.viewers]).toEqual([0, 1]);
    expect(socket.size).toBe(before * 2);
    first.output.sample(sample('video', 40));
    first.flush();
    expect(socket.size).toBe(before * 2);
    expect(socket.listenerCount('drain')).toBe(1);
    playback.stop('viewer left');
    expect(closed).toEqual([['viewer left', before * 2]]);
  });

  it('stops once, whoever says so first, and switches no more', () => {
    const [first, second] = [running(), running()];
    const socket = new FakeSocket();
    const { granted, closed } = admission();
    const ends: ViewerEnd[] = [];
    const playback = play(first.output, socket, granted, (end) => ends.push(end));
    playback.stop('viewer left');
    playback.stop('again');
    playback.switchTo(second.output);
    first.output.end('the stream is over');
    expect([closed, ends]).toEqual([[['viewer left', socket.size]], []]);
    expect([first.output.viewers, second.output.viewers, socket.listenerCount('drain')]).toEqual([0, 0, 0]);
  });

  it('lets go of a viewer whose session is cut, at once', () => {
    const { output } = running();
    const socket = new FakeSocket();
    const { granted, closed, hold } = admission();
    const ends: ViewerEnd[] = [];
    play(output, socket, granted, (end) => ends.push(end));
    hold.control?.cut('kicked');
    hold.control?.cut('again');
    expect([closed, ends]).toEqual([[['kicked', socket.size]], [{ clean: false, reason: 'kicked' }]]);
    expect([output.viewers, socket.listenerCount('drain')]).toEqual([0, 0]);
  });

  it("closes the session and ends the socket when the stream's end lets the viewer go", () => {
    const { output } = running();
    const socket = new FakeSocket();
    const { granted, closed } = admission();
    const ends: ViewerEnd[] = [];
    const playback = play(output, socket, granted, (end) => ends.push(end));
    output.sample(sample('video', 40));
    output.end('the stream is over');
    playback.stop('connection closed');
    expect(played(socket)).toBe('vaKf');
    expect(closed).toEqual([['the stream is over', socket.size]]);
    expect(ends).toEqual([{ clean: true, reason: 'the stream is over' }]);
  });
});
