import { aacTrackConfig, h264TrackConfig, type MediaEvent, micros, millis, type TrackConfig } from '@sluice/media';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Admission } from '../access/gate.js';
import type { Session } from '../access/session.js';
import { LiveConfig } from '../config/live-config.js';
import { resolveConfig, settingsFor } from '../config/load.js';
import { EventBus } from '../events.js';
import { silentLogger } from '../logger.js';
import { parseStreamPath } from '../stream-path.js';
import { type Publication, StreamRouter } from '../streams/router.js';
import { Transcoder } from './transcoder.js';

const SOURCE = parseStreamPath('live/show');
const RENDITIONS = 'renditions: { 360p: { height: 360, videoBitrate: 600 }, sound: { codec: none, audioBitrate: 64 } }';
// 1280x720.
const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const AUDIO = aacTrackConfig(1, Buffer.from('1190', 'hex'));
const VP8: TrackConfig = { ...VIDEO, codec: 'vp8', codecString: 'vp8', description: Buffer.alloc(0) };

const keyframe = (ms: number): MediaEvent => {
  const time = micros(ms * 1000);
  return {
    type: 'sample',
    sample: { track: 0, kind: 'video', dts: time, pts: time, keyframe: true, data: Buffer.alloc(9) },
  };
};

const session = (action: Session['action'], path: string, id = path): Session => ({
  ...{ id, action, protocol: 'rtmp', path: parseStreamPath(path), ip: '127.0.0.1', userAgent: undefined },
  ...{ identity: { kind: 'anonymous' }, client: {}, query: '', fingerprint: id, openedAt: millis(0) },
});

describe('Transcoder', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0).reverse()) close();
    vi.useRealTimers();
  });

  const resolved = (text: string) => resolveConfig({ file: { name: 'x.yml', text } });

  function transcoderWith(transcode: string, ffmpeg: string | undefined = '/bin/false') {
    const live = new LiveConfig(resolved(`transcode: { ${transcode} }`));
    const events = new EventBus(silentLogger);
    const warned: Record<string, unknown>[] = [];
    const log = { ...silentLogger, warn: (fields: Record<string, unknown>) => warned.push(fields) };
    const router: StreamRouter = new StreamRouter({
      clock: { monotonic: () => millis(0), wall: () => millis(0) },
      events,
      settingsFor: (path) => settingsFor(live.current, path),
      convertSound: () => undefined,
    });
    const admit = ({ path }: { path: string }): Promise<Admission> =>
      Promise.resolve({ session: session('publish', path), bind: () => undefined, close: () => undefined });
    const program = ffmpeg === undefined ? undefined : { file: ffmpeg, prlimit: undefined };
    const transcoder = new Transcoder({ live, events, router, program, log, gate: { admit }, cores: 2 });
    closing.push(
      () => router.close('the test is over'),
      () => transcoder.close('the test is over'),
    );
    const publish = (): Publication => router.publish(session('publish', SOURCE), { cut: () => undefined });
    const arrive = (path: string, id?: string) => events.emit('session-opened', { session: session('play', path, id) });
    const leave = (path: string, id?: string) =>
      events.emit('session-closed', {
        session: session('play', path, id),
        ...{ reason: 'left', traffic: { received: 0, sent: 0 } },
      });
    const states = () => transcoder.status.ladders.map(({ state }) => state);
    return { transcoder, live, warned, publish, arrive, leave, states };
  }

  it('begins with the first viewer of a rendition, and ends half a minute after the last', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { publish, arrive, leave, states } = transcoderWith(RENDITIONS);
    publish();
    arrive('live/show');
    arrive('live/show/unknown');
    expect(states()).toEqual(['idle']);
    arrive('live/show/360p', 'anna');
    arrive('live/show/sound', 'bert');
    expect(states()).toEqual(['waiting']);
    leave('live/show/360p', 'anna');
    vi.advanceTimersByTime(60_000);
    expect(states()).toEqual(['waiting']);
    leave('live/show/sound', 'bert');
    vi.advanceTimersByTime(29_000);
    arrive('live/show/360p', 'carl');
    vi.advanceTimersByTime(60_000);
    expect(states()).toEqual(['waiting']);
    leave('live/show/360p', 'carl');
    vi.advanceTimersByTime(30_000);
    expect(states()).toEqual(['idle']);
  });

  it('begins when one is wanted without a session of its own, and ends half a minute after that was said last', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { transcoder, publish, arrive, leave, states } = transcoderWith(RENDITIONS);
    const path = parseStreamPath('live/show/360p');
    transcoder.want(path);
    publish();
    transcoder.want(SOURCE);
    expect(states()).toEqual(['idle']);
    transcoder.want(path);
    vi.advanceTimersByTime(29_000);
    transcoder.want(path);
    vi.advanceTimersByTime(29_000);
    expect(states()).toEqual(['waiting']);
    arrive('live/show/360p', 'anna');
    transcoder.want(path);
    vi.advanceTimersByTime(60_000);
    expect(states()).toEqual(['waiting']);
    leave('live/show/360p', 'anna');
    vi.advanceTimersByTime(30_000);
    expect(states()).toEqual(['idle']);
  });

  it('begins with the stream for viewers who wait for it, and for a path that says so', () => {
    const waiting = transcoderWith(RENDITIONS);
    waiting.arrive('live/show/360p');
    waiting.publish();
    expect(waiting.states()).toEqual(['waiting']);
    const always = transcoderWith(`mode: always, ${RENDITIONS}`);
    always.publish().end('over');
    expect(always.states()).toEqual(['waiting']);
  });

  it('follows the configuration', () => {
    const { transcoder, live, publish, states } = transcoderWith(`mode: always, ${RENDITIONS}`);
    publish();
    const [before] = transcoder.renditionsOf(SOURCE);
    expect(before).toMatchObject({ name: '360p', path: 'live/show/360p', bandwidth: 800_800, state: 'idle' });
    live.apply(resolved('transcode: { mode: always, renditions: { sound: { codec: none } } }'));
    expect(transcoder.renditionsOf(SOURCE).map(({ name }) => name)).toEqual(['sound']);
    live.apply(resolved(''));
    expect([states(), transcoder.renditionsOf(SOURCE)]).toEqual([[], []]);
    expect(transcoder.renditionsOf(parseStreamPath('live/other'))).toEqual([]);
  });

  it('tells the size of what it will make, and gives back what it took of the budget', () => {
    const { transcoder, publish, states } = transcoderWith(`mode: always, cpuBudget: 0.5, ${RENDITIONS}`, '/bin/sleep');
    const publication = publish();
    publication.write({ type: 'config', config: VIDEO });
    publication.write({ type: 'config', config: AUDIO });
    publication.write(keyframe(0));
    expect(states()).toEqual(['running']);
    expect(transcoder.renditionsOf(SOURCE)).toMatchObject([
      {
        ...{ name: '360p', width: 640, height: 360, state: 'starting' },
        video: { codec: 'avc1.64001e', bandwidth: 660_000 },
      },
      { name: 'sound', width: undefined, bandwidth: 70_400, video: undefined, state: 'starting' },
    ]);
    expect(transcoder.status.cpuReserved).toBeGreaterThan(0.1);
    expect(transcoder.status.cpuReserved).toBeLessThan(0.5);
    transcoder.close('over');
    expect(transcoder.status.cpuReserved).toBe(0);
  });

  it('begins ffmpeg again, at once at first, and then with pauses', async () => {
    const { warned, publish } = transcoderWith(`mode: always, ${RENDITIONS}`);
    const publication = publish();
    publication.write({ type: 'config', config: VIDEO });
    publication.write(keyframe(0));
    await expect.poll(() => warned.length, { timeout: 5000 }).toBeGreaterThan(1);
    expect(warned.slice(0, 2)).toMatchObject([
      { path: SOURCE, reason: 'ffmpeg ended with 1', retryMs: 0 },
      { path: SOURCE, reason: 'ffmpeg ended with 1', retryMs: 1000 },
    ]);
  });

  it('changes to another ffmpeg before the clock of MPEG-TS turns over', () => {
    const { transcoder, publish } = transcoderWith(`mode: always, ${RENDITIONS}`, '/bin/sleep');
    const publication = publish();
    publication.write({ type: 'config', config: VIDEO });
    const pids = new Set<number | undefined>();
    // In steps of 9 s, for longer ones would be mended: 25 hours.
    for (let step = 0; step < 10_000; step += 1) {
      publication.write(keyframe(step * 9000));
      if (step % 100 === 0) pids.add(transcoder.status.ladders[0]?.pid);
    }
    expect(pids.size).toBe(2);
    expect(transcoder.status.ladders[0]?.restarts).toBe(0);
  });

  it('says what it can not make', () => {
    const { transcoder, publish } = transcoderWith(`mode: always, ${RENDITIONS}`);
    const publication = publish();
    expect(transcoder.refusalFor(parseStreamPath('live/show/360p'))).toBeUndefined();
    publication.write({ type: 'config', config: VP8 });
    publication.write({ type: 'config', config: AUDIO });
    publication.write(keyframe(0));
    expect(transcoder.renditionsOf(SOURCE).map(({ state }) => state)).toEqual(['failed', 'starting']);
    expect(transcoder.status.cpuReserved).toBeLessThan(0.05);
    expect(transcoder.refusalFor(parseStreamPath('live/show/360p'))).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^live\/show\/360p can't be made: .*vp8 in MPEG-TS/),
    });
    expect(transcoder.refusalFor(parseStreamPath('live/show'))).toBeUndefined();
  });
});
