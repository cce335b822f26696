import { loadConfig, type OutputSource, parseStreamPath, silentLogger } from '@sluice/core';
import { h264TrackConfig, micros, millis } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { Departure } from '../segments/departure.js';
import { DashOutput } from './dash-output.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const LISTED = 3;
const STEP = 0.1;
const HOUR = 3_600_000;

function outputWith(settings = '', from?: number) {
  const time = { now: 0 };
  const clock = { monotonic: () => millis(time.now), wall: () => millis(time.now) };
  const config = loadConfig({
    file: { name: 'x.yml', text: `dash: { segmentSeconds: 1, segments: ${LISTED}${settings} }` },
  });
  const source: OutputSource = {
    isFollowing: from !== undefined,
    path: parseStreamPath('live/show'),
    settings: config,
    ended: false,
    requestKeyframe: () => {},
    wallTimeOf: (dts) => millis(dts / 1000),
  };
  const ended: DashOutput[] = [];
  const log = silentLogger;
  const output = new DashOutput({
    source,
    clock,
    viewers: () => 0,
    renditions: () => [],
    log,
    onEnd: (which) => ended.push(which),
  });
  output.configure({ tracks: [VIDEO], metadata: {} });
  let at = from ?? 0;
  /** Pictures for so many seconds, the first of which is a keyframe. */
  const gop = (seconds: number) => {
    const end = at + seconds;
    for (let keyframe = true; at < end - STEP / 2; at += STEP, keyframe = false) {
      time.now = at * 1000;
      const dts = micros(Math.round(at * 1_000_000));
      output.sample({ track: 0, kind: 'video', dts, pts: dts, keyframe, data: Buffer.from([0, 0, 0, 1, 0x65]) });
    }
  };
  const never = new Departure();
  const mpd = async () => (await output.mpd(HOUR, never)) ?? '';
  const names = async () => /media="show\/dash\/([^"]+)"/.exec(await mpd())?.[1] ?? '';
  const get = (name: string) => output.resource(name, HOUR, never);
  return { output, gop, mpd, names, get, time, ended };
}

const timelineOf = (mpd: string) => [...mpd.matchAll(/<S ([^>]+)\/>/g)].map(([, attributes]) => attributes);

describe('DashOutput', () => {
  it('has an MPD once there is a segment, and lists the one that is being made and the next', async () => {
    const { gop, mpd } = outputWith();
    const waiting = mpd();
    gop(1);
    gop(0.5);
    expect(timelineOf(await waiting)).toEqual(['t="0" d="90000" r="2"']);
  });

  it('numbers periods and segments of a stream that is packed elsewhere, too, by its times', async () => {
    const { gop, mpd, output } = outputWith('', 77.3);
    for (let count = 0; count < 3; count++) gop(1);
    expect(await mpd()).toMatch(
      /availabilityStartTime="1970-01-01T00:00:00.000Z"[\s\S]*<Period id="78" start="PT77.3S"/,
    );
    expect(await mpd()).toMatch(/startNumber="78"/);
    output.discontinuity();
    for (let count = 0; count < 2; count++) gop(1);
    expect(await mpd()).toMatch(/<Period id="81" start="PT80.3S"[\s\S]*startNumber="81"/);
  });

  it('lists what is finished only, where segments are too unlike for the next to be foretold', async () => {
    const { gop, mpd } = outputWith();
    for (const seconds of [1, 1, 1.5, 0.5]) gop(seconds);
    expect(timelineOf(await mpd())).toEqual(['t="0" d="90000" r="1"', 't="180000" d="135000"']);
    for (const seconds of [1, 1, 1, 1]) gop(seconds);
    expect(timelineOf(await mpd()).at(-1)).toMatch(/d="90000" r="\d"/);
  });

  it('says how long a segment lasts that lasts longer than was thought', async () => {
    const { gop, mpd } = outputWith();
    gop(1);
    gop(1.8);
    expect(timelineOf(await mpd())).toEqual(['t="0" d="90000"', 't="90000" d="144000"', 't="234000" d="90000"']);
  });

  it('takes old segments off the list, and has them for who still asks', async () => {
    const { gop, mpd, names, get } = outputWith();
    for (let count = 0; count < 6; count++) gop(1);
    gop(STEP);
    expect(await mpd()).toMatch(/startNumber="4"/);
    const name = await names();
    expect(await get(name.replace('$Number$', '1'))).toMatchObject({ kind: 'segment' });
    for (let count = 0; count < 5; count++) gop(1);
    expect(await get(name.replace('$Number$', '1'))).toBeUndefined();
    expect(await get(name.replace('$Number$', '99'))).toBeUndefined();
    for (const other of ['', 'x', '../x', name, name.replace('v0', 'a7'), name.replace(/^[^-]+/, '0000')]) {
      expect(await get(other)).toBeUndefined();
    }
  });

  it('lets who asks ahead of its time have a segment when it begins, and nothing when the encoder does', async () => {
    const { output, gop, names, get } = outputWith();
    gop(1);
    gop(0.5);
    const name = await names();
    const asked = get(name.replace('$Number$', '3'));
    const never = get(name.replace('$Number$', '4'));
    gop(0.5);
    gop(0.5);
    const resource = await asked;
    expect(resource).toMatchObject({ kind: 'segment', body: { isComplete: false } });
    output.discontinuity();
    expect(await never).toMatchObject({ kind: 'segment', body: { isComplete: true, length: 0 } });
    expect(resource).toMatchObject({ body: { isComplete: true } });
  });

  it('drops a period when nothing of it is listed any more', async () => {
    const { output, gop, mpd } = outputWith();
    gop(1);
    gop(1);
    output.discontinuity();
    gop(1);
    gop(STEP);
    expect((await mpd()).match(/<Period /g)).toHaveLength(2);
    gop(1);
    gop(1);
    gop(1);
    gop(STEP);
    expect(await mpd()).toMatch(/<Period id="2"/);
    expect((await mpd()).match(/<Period /g)).toHaveLength(1);
  });

  it.each([
    [44_100, 'mp4a.6B'],
    [22_050, 'mp4a.69'],
  ])('names MP3 of %i Hz as MP4 does', async (sampleRate, name) => {
    const { output, mpd } = outputWith();
    const description = Buffer.alloc(0);
    const mp3 = {
      kind: 'audio',
      track: 1,
      codec: 'mp3',
      codecString: 'mp3',
      description,
      sampleRate,
      channels: 2,
    } as const;
    output.configure({ tracks: [mp3], metadata: {} });
    for (let at = 0; at < 2; at += STEP) {
      const dts = micros(Math.round(at * 1_000_000));
      output.sample({ track: 1, kind: 'audio', dts, pts: dts, keyframe: true, data: Buffer.from([0]) });
    }
    expect(await mpd()).toMatch(`<Representation id="a1" codecs="${name}"`);
    expect(await mpd()).toMatch(`audioSamplingRate="${sampleRate}"`);
  });

  it('says that it is over, and how long it was', async () => {
    const { output, gop, mpd, ended } = outputWith();
    gop(1);
    gop(1);
    output.end();
    expect(await mpd()).toMatch(/mediaPresentationDuration="PT2S"/);
    expect(await mpd()).not.toMatch(/minimumUpdatePeriod/);
    expect(ended).toEqual([output]);
  });

  it('lets go of those who have waited too long, and is idle when nobody asks', async () => {
    const { output, mpd, time } = outputWith();
    const waiting = mpd();
    time.now = HOUR + 1;
    output.sweep();
    expect(await waiting).toBe('');
    expect(output.idleSince).toBe(0);
  });
});
