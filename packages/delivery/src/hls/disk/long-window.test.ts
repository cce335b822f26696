import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type OutputSource, parseStreamPath, silentLogger } from '@sluice/core';
import { h264TrackConfig, micros, millis } from '@sluice/media';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Departure } from '../../segments/departure.js';
import { HlsOutput, type WindowNews } from '../hls-output.js';
import { SegmentDisk } from './segment-disk.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const PICTURE_BYTES = 250_000;
const MIB = 1024 * 1024;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-window-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A stream of one picture a second, each of which is a segment, as fast as it goes. */
function streamWith(settings: string, { maxBytes = 1e12, folder = directory } = {}) {
  const time = { now: 0 };
  const limit = { maxBytes };
  const disk = new SegmentDisk({ directory: folder, maxBytes: () => limit.maxBytes, log: silentLogger });
  const text = `hls: { segmentSeconds: 1, segments: 4, ${settings} }`;
  const source: OutputSource = {
    isFollowing: false,
    path: parseStreamPath('live/show'),
    settings: loadConfig({ file: { name: 'x.yml', text } }),
    ended: false,
    requestKeyframe: () => {},
    wallTimeOf: (dts) => millis(dts / 1000),
  };
  const news: WindowNews[] = [];
  const output = new HlsOutput({
    source,
    clock: { monotonic: () => millis(time.now), wall: () => millis(0) },
    viewers: () => 0,
    disk,
    log: silentLogger,
    random: randomBytes,
    reports: () => [],
    onWindow: (_output, said) => news.push(said),
    onSegment: () => {},
    onEnd: () => {},
  });
  output.configure({ tracks: [VIDEO], metadata: {} });
  let second = 0;
  const publish = async (count: number, bytes = PICTURE_BYTES) => {
    for (const end = second + count; second < end; second++) {
      time.now = second * 1000;
      const data = Buffer.alloc(bytes, second);
      data.writeUInt32BE(bytes - 4);
      data[4] = 0x65;
      const dts = micros(second * 1_000_000);
      output.sample({ track: 0, kind: 'video', dts, pts: dts, keyframe: true, data });
      await disk.close();
    }
  };
  const departure = new Departure();
  const playlist = async (delta = false) => `${await output.playlist({ delta }, 0, departure)}`;
  const names = async () => [...(await playlist()).matchAll(/^show\/hls\/(.+)$/gm)].map(([, name = '']) => name);
  const read = async (name: string) => {
    const found = await output.resource(name, 0, departure);
    if (found === undefined || 'bytes' in found) return found?.bytes;
    const bytes = await found.file.readFile();
    await found.file.close();
    return bytes;
  };
  return { output, disk, limit, news, publish, playlist, names, read };
}

const numberIn = (text: string, tag: string) => Number(new RegExp(`#EXT-X-${tag}:(\\d+)`).exec(text)?.[1]);

describe('a long window', () => {
  it('keeps memory flat over 1,000 segments, and all of them can be had', async () => {
    const { output, disk, publish, names, read, news } = streamWith('windowSeconds: 2000, container: mpegts');
    await publish(100);
    global.gc?.();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let round = 0; round < 9; round++) {
      await publish(100);
      most = Math.max(most, output.segmentsInMemory);
    }
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(most).toBeLessThanOrEqual(8);
    // What the collector has not fetched yet counts too; all segments together would be 240 MiB.
    expect(grown).toBeLessThan(80 * MIB);
    const listed = await names();
    expect(listed).toHaveLength(999);
    for (const name of [listed[0], listed[500], listed[998]]) expect((await read(name ?? ''))?.[0]).toBe(0x47);
    expect(disk.bytes).toBeGreaterThan(990 * PICTURE_BYTES);
    expect(news).toEqual([]);
    output.close();
    await disk.close();
    expect(disk.bytes).toBe(0);
  }, 60_000);

  it.each(['mpegts', 'fmp4'])('slides when it is full, with right numbers, in %s', async (container) => {
    const { output, publish, playlist, names, read } = streamWith(`windowSeconds: 60, container: ${container}`);
    await publish(30, 100);
    output.discontinuity();
    await publish(50, 100);
    const full = await playlist();
    const listed = await names();
    // The first after the seam is one of 30; what came before the seam has lost its last.
    expect(numberIn(full, 'MEDIA-SEQUENCE') + listed.filter((name) => !name.includes('init')).length).toBeGreaterThan(
      77,
    );
    expect(output.windowSeconds).toBe(60);
    expect([numberIn(full, 'DISCONTINUITY-SEQUENCE'), full.includes('#EXT-X-DISCONTINUITY\n')]).toEqual([0, true]);
    expect(await read(listed[0] ?? '')).toBeDefined();
    await publish(20, 100);
    const later = await playlist();
    expect([numberIn(later, 'DISCONTINUITY-SEQUENCE'), later.includes('#EXT-X-DISCONTINUITY\n')]).toEqual([1, false]);
    // RFC 8216 §6.2.2: it is gone from the playlist, and can still be had.
    expect(await names()).not.toContain(listed[0]);
    expect(await read(listed[0] ?? '')).toBeDefined();
    await publish(80, 100);
    expect(await read(listed[0] ?? '')).toBeUndefined();
    expect(await playlist(true)).toMatch(/#EXT-X-SKIP:SKIPPED-SEGMENTS=5\d\n/);
  });

  it('is an event until something has to go', async () => {
    const { publish, playlist } = streamWith('windowSeconds: 20, playlistType: event, container: mpegts');
    await publish(15, 100);
    expect(await playlist()).toContain('#EXT-X-PLAYLIST-TYPE:EVENT\n');
    await publish(15, 100);
    expect(await playlist()).not.toContain('PLAYLIST-TYPE');
  });

  it('shrinks while the disk is away, says so once, and comes back by itself', async () => {
    const folder = join(directory, 'gone');
    const { output, disk, publish, names, read, news } = streamWith('windowSeconds: 40, container: mpegts', { folder });
    await publish(20, 100);
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no directory');
    await publish(20, 100);
    expect(news).toMatchObject([{ kind: 'shrunk', trouble: 'disk-failed' }]);
    expect(output.windowSeconds).toBeLessThan(10);
    const listed = await names();
    expect(listed.length).toBeGreaterThanOrEqual(4);
    for (const name of listed) expect(await read(name)).toBeDefined();
    expect(output.segmentsInMemory).toBeLessThan(20);
    await rm(folder);
    await publish(60, 100);
    expect(news).toMatchObject([{ kind: 'shrunk' }, { kind: 'resumed' }]);
    expect(output.windowSeconds).toBe(40);
    for (const name of await names()) expect(await read(name)).toBeDefined();
    await disk.close();
  });

  it('is as long as there is room on disk', async () => {
    const { output, publish, names, read, news } = streamWith('windowSeconds: 40, container: mpegts', {
      maxBytes: 10 * 188 * 10,
    });
    await publish(40, 188);
    expect(news).toMatchObject([{ kind: 'shrunk', trouble: 'disk-full' }]);
    expect(output.windowSeconds).toBeLessThan(38);
    for (const name of await names()) expect(await read(name)).toBeDefined();
  });
});
