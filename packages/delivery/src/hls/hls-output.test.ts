import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { loadConfig, type OutputSource, parseStreamPath, silentLogger } from '@sluice/core';
import { EVENT_SCHEME, h264TrackConfig, micros, millis, TsDemuxer } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Departure } from '../segments/departure.js';
import { SegmentDisk } from './disk/segment-disk.js';
import { HlsOutput, type WindowNews } from './hls-output.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const LISTED = 3;
const NOWHERE = { directory: '/nowhere', maxBytes: () => 0, log: silentLogger };

function outputWith(settings = '', disk = new SegmentDisk(NOWHERE), container = 'mpegts', isFollowing = false) {
  const time = { now: 0 };
  const clock = { monotonic: () => millis(time.now), wall: () => millis(0) };
  const config = loadConfig({
    file: {
      name: 'x.yml',
      text: `hls: { segmentSeconds: 1, segments: ${LISTED}, container: ${container}${settings} }`,
    },
  });
  const source: OutputSource = {
    isFollowing,
    path: parseStreamPath('live/show'),
    settings: config,
    ended: false,
    requestKeyframe: () => {},
    wallTimeOf: (dts) => millis(dts / 1000),
  };
  const ended: HlsOutput[] = [];
  const windowNews: WindowNews[] = [];
  const watching = 0;
  const output = new HlsOutput({
    source,
    clock,
    viewers: () => watching,
    disk,
    log: silentLogger,
    reports: () => [],
    random: randomBytes,
    onWindow: (_output, news) => windowNews.push(news),
    onSegment: () => {},
    onEnd: (which) => ended.push(which),
  });
  output.configure({ tracks: [VIDEO], metadata: {} });
  const picture = (seconds: number) => {
    time.now = seconds * 1000;
    output.sample({
      track: 0,
      kind: 'video',
      dts: micros(seconds * 1_000_000),
      pts: micros(seconds * 1_000_000),
      keyframe: true,
      data: Buffer.from([0, 0, 0, 2, 0x65, 0x88]),
    });
  };
  const departure = new Departure();
  const text = async () => (await output.playlist({}, 1000, departure))?.toString() ?? '';
  const names = async () => [...(await text()).matchAll(/^show\/hls\/(.+\.ts)$/gm)].map(([, name = '']) => name);
  const bytes = async (name: string) => {
    const found = await output.resource(name, 0, departure);
    if (found === undefined || 'bytes' in found) return found?.bytes;
    const read = await found.file.readFile();
    await found.file.close();
    return read;
  };
  return { output, picture, text, names, bytes, ended, windowNews, time, departure };
}

const numberIn = (text: string, tag: string) => Number(new RegExp(`#EXT-X-${tag}:(\\d+)`).exec(text)?.[1]);

describe('HlsOutput', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('lists the newest segments, and has the bytes of all that it lists', async () => {
    const { output, picture, text, names, bytes } = outputWith();
    for (let second = 0; second <= 8; second++) picture(second);
    const listed = await names();
    expect(listed).toHaveLength(LISTED);
    expect(numberIn(await text(), 'MEDIA-SEQUENCE')).toBe(5);
    for (const name of listed) expect(((await bytes(name))?.length ?? 1) % 188).toBe(0);
    expect(await bytes('other-0.ts')).toBeUndefined();
    expect(output.windowSeconds).toBe(LISTED);
  });

  it.each(['mpegts', 'fmp4'])(
    'numbers %s segments of a stream that is packed elsewhere, too, by its times',
    async (container) => {
      const { picture, text } = outputWith('', undefined, container, true);
      for (const second of [77.3, 78.3, 79.3]) picture(second);
      expect(numberIn(await text(), 'MEDIA-SEQUENCE')).toBe(77);
      for (const second of [80.3, 81.3]) picture(second);
      expect(numberIn(await text(), 'MEDIA-SEQUENCE')).toBe(78);
    },
  );

  it('keeps a segment that has left for its own length and that of the longest playlist, and not for ever', async () => {
    const { picture, names, bytes } = outputWith();
    for (let second = 0; second <= LISTED; second++) picture(second);
    const [first = ''] = await names();
    // The next one pushes it off the playlist; RFC 8216 §6.2.2 counts from there: 1 s and 3 s.
    picture(LISTED + 1);
    expect(await names()).not.toContain(first);
    for (let second = LISTED + 2; second < LISTED + 2 + 1 + LISTED; second++) {
      expect([second, (await bytes(first)) === undefined]).toEqual([second, false]);
      picture(second);
    }
    for (let second = 2 * LISTED + 3; second < 20; second++) picture(second);
    expect(await bytes(first)).toBeUndefined();
  });

  it('counts a discontinuity when the segment that it stands before leaves the playlist', async () => {
    const { output, picture, text } = outputWith();
    for (const second of [0, 1]) picture(second);
    output.discontinuity();
    const counts: [number, number][] = [];
    for (let second = 2; second <= 8; second++) {
      picture(second);
      const playlist = await text();
      counts.push([numberIn(playlist, 'DISCONTINUITY-SEQUENCE'), playlist.split('#EXT-X-DISCONTINUITY\n').length - 1]);
    }
    // Tags in the playlist and tags that have left it come to one from the seam on.
    expect(counts.map(([left]) => left)).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(counts.map(([left, listed]) => left + listed)).toEqual([0, 1, 1, 1, 1, 1, 1]);
  });

  it('lets a first viewer wait for the first segment, until time is up or the viewer leaves', async () => {
    const { output, picture, departure, time } = outputWith();
    const early = output.playlist({}, 1000, departure);
    const late = output.playlist({}, 5000, departure);
    const left = new Departure();
    const gone = output.playlist({}, 5000, left);
    left.leave();
    time.now = 1000;
    output.sweep();
    expect([await early, await gone]).toEqual([undefined, undefined]);
    picture(0);
    picture(1);
    expect((await late)?.toString()).toContain('#EXTINF:1.00000,');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('renders once for all, plain and zipped', async () => {
    const { output, picture, departure } = outputWith();
    picture(0);
    picture(1);
    const playlist = await output.playlist({}, 0, departure);
    expect(await output.playlist({}, 0, departure)).toBe(playlist);
    expect(gunzipSync(Buffer.concat(playlist?.gzip ?? [])).toString()).toBe(playlist?.toString());
    picture(2);
    expect(await output.playlist({}, 0, departure)).not.toBe(playlist);
  });

  it('ends its playlist once, with the segment that was open', async () => {
    const { output, picture, text, names, ended } = outputWith();
    for (const second of [0, 1, 1.5]) picture(second);
    output.end();
    output.end();
    expect(await text()).toMatch(/#EXTINF:0\.50000,\n.+\n#EXT-X-ENDLIST\n$/);
    expect(await names()).toHaveLength(2);
    expect(ended).toEqual([output]);
  });

  it('is idle since somebody last asked, and never where it is always on', async () => {
    const { output, text, time } = outputWith();
    output.end();
    time.now = 700;
    await text();
    expect(output.idleSince).toBe(700);
    expect(outputWith(', always: true').output.idleSince).toBeUndefined();
  });

  it.each(['mpegts', 'fmp4'])('tells of a break that began before it, in its playlist and in %s', async (container) => {
    const { output, picture, text, departure } = outputWith('', undefined, container);
    // SCTE 35 §14.2.
    const data = Buffer.from('/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=', 'base64');
    picture(20);
    output.timedMetadata({ type: 'timed-metadata', kind: 'scte35', at: micros(12_000_000), data });
    picture(21);
    const playlist = await text();
    expect(playlist).toContain('START-DATE="1970-01-01T00:00:12.000Z",PLANNED-DURATION=60.294,SCTE35-OUT=0x');
    const [, name = ''] = /^show\/hls\/(.+\.(?:ts|m4s))$/m.exec(playlist) ?? [];
    const segment = await output.resource(name, 0, departure);
    const bytes = segment !== undefined && 'bytes' in segment ? segment.bytes : Buffer.alloc(0);
    const cues = new TsDemuxer().push(bytes).filter(({ type }) => type === 'timed-metadata');
    expect(container === 'fmp4' ? bytes.includes(EVENT_SCHEME.scte35) : cues.length === 1).toBe(true);
  });
});
