import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadConfig, type OutputSource, parseStreamPath, silentLogger } from '@sluice/core';
import { micros, millis, type Sample, TS_TIME_OFFSET } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { type Clip, makeClip } from '../../../../test/support/clip.js';
import { validateLive } from '../../../../test/support/hls-validator/validate-live.js';
import { Departure } from '../segments/departure.js';
import { SegmentDisk } from './disk/segment-disk.js';
import { HlsOutput } from './hls-output.js';

/** After so many µs a PTS of MPEG-TS begins again: 33 bits of 90 kHz, 26.5 hours. */
const WRAP = (2 ** 33 * 1_000_000) / 90_000;
const SECONDS = 8;
/** Seconds after which it begins again; from a minute before on, ffprobe counts times from the wrap. */
const WRAPS_AFTER = { 'in the middle of a segment': 3.5, 'where a segment begins': 4, 'a minute later': 64 };

function outputOf({ events }: Clip, container: 'fmp4' | 'mpegts'): HlsOutput {
  const text = `hls: { segmentSeconds: 1, segments: 20, container: ${container} }`;
  const source: OutputSource = {
    isFollowing: false,
    path: parseStreamPath('live/show'),
    settings: loadConfig({ file: { name: 'x.yml', text } }),
    ended: false,
    requestKeyframe: () => {},
    wallTimeOf: (dts) => millis(1_700_000_000_000 + dts / 1000),
  };
  const output = new HlsOutput({
    source,
    clock: { monotonic: () => millis(0), wall: () => millis(0) },
    viewers: () => 0,
    disk: new SegmentDisk({ directory: '/nowhere', maxBytes: () => 0, log: silentLogger }),
    log: silentLogger,
    reports: () => [],
    random: randomBytes,
    onWindow: () => {},
    onSegment: () => {},
    onEnd: () => {},
  });
  const tracks = events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
  output.configure({ tracks, metadata: {} });
  return output;
}

/** Serves an output alone. @returns the URL of its playlist */
async function serve(output: HlsOutput) {
  const answer = async (path: string, response: ServerResponse): Promise<void> => {
    const departure = new Departure(response);
    const name = /\/hls\/([^/]+)$/.exec(path)?.[1];
    if (name === undefined) {
      const playlist = await output.playlist({}, 1000, departure);
      response.setHeader('Content-Type', 'application/vnd.apple.mpegurl').end(playlist?.toString());
      return;
    }
    const resource = await output.resource(name, 1000, departure);
    response.statusCode = resource === undefined ? 404 : 200;
    response.end(resource !== undefined && 'bytes' in resource ? resource.bytes : undefined);
  };
  const server = createServer(({ url = '/' }, response) => void answer(url, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live/show.m3u8` };
}

const moved = (sample: Sample, by: number): Sample => ({
  ...sample,
  dts: micros(sample.dts + by),
  pts: micros(sample.pts + by),
});

describe('HlsOutput of a stream that has run for 26.5 hours', () => {
  it.each([
    ['mpegts', 'in the middle of a segment'],
    ['mpegts', 'where a segment begins'],
    ['mpegts', 'a minute later'],
    ['fmp4', 'in the middle of a segment'],
  ] as const)('goes on over the wrap of PTS, in %s, %s', async (container, place) => {
    const clip = await makeClip('h264-b', SECONDS);
    const output = outputOf(clip, container);
    const by = Math.round(WRAP - TS_TIME_OFFSET - WRAPS_AFTER[place] * 1_000_000);
    // Up to the last keyframe: there a segment is whole, and what ends is no more than a picture.
    const end = clip.samples.findLastIndex(({ kind, keyframe }) => kind === 'video' && keyframe);
    for (const sample of clip.samples.slice(0, end + 1)) output.sample(moved(sample, by));
    output.end();
    const { server, url } = await serve(output);
    const text = await (await fetch(url)).text();
    const findings = await validateLive(url);
    server.close();
    server.closeAllConnections();

    expect(text.match(/#EXTINF:/g)).toHaveLength(container === 'fmp4' ? SECONDS : SECONDS - 1);
    expect(text).not.toContain('#EXT-X-DISCONTINUITY\n');
    const faults = findings.filter(({ level }) => level === 'must');
    expect(faults.map(({ rule, detail }) => `${rule}: ${detail}`)).toEqual([]);
  });
});
