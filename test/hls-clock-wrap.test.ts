import { spawn } from 'node:child_process';
import { TsDemuxer } from '@sluice/media';
import { type SrtSocket, srtCall } from '@sluice/srt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testPicture, testSound } from './support/ffmpeg.js';
import { validateLive } from './support/hls-validator/validate-live.js';
import { exited } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';

/** After so many seconds a PTS begins again: 33 bits of 90 kHz. ISO 13818-1 §2.4.3.7 */
const WRAP = 2 ** 33 / 90_000;
/** ffmpeg begins so much before the wrap, and adds its own delay of 1.4 s. */
const BEFORE = 5;
const SECONDS = 10;
const WATCHED_SECONDS = 6;
/** What goes into one datagram: seven packets. */
const PAYLOAD = 7 * 188;
const APPS = ['live', 'ts'] as const;

/** ffmpeg as an encoder whose PTS passes 2^33; it writes a transport stream to its standard output. */
function wrappingEncoder() {
  const coded = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-c:a', 'aac'];
  const output = ['-output_ts_offset', `${WRAP - BEFORE}`, '-flush_packets', '1', '-f', 'mpegts', 'pipe:1'];
  const [picture, sound] = [testPicture({ seconds: SECONDS }), testSound(SECONDS)];
  const args = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-re', ...picture, '-re', ...sound];
  return spawn('ffmpeg', [...args, ...coded, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('HLS of an encoder whose PTS passes 2^33', () => {
  let sluice: TestServer;
  beforeAll(async () => {
    sluice = await startServer(`
      hls: { segmentSeconds: 1, segments: 12, always: true }
      paths: { "ts/*": { hls: { container: mpegts } } }`);
  });
  afterAll(() => sluice.stop());

  const call = (app: string): Promise<SrtSocket> =>
    srtCall({ host: '127.0.0.1', port: sluice.server.ports.srt ?? 0, streamId: `publish:${app}/wrap` });

  it('goes on as if nothing had happened, in MP4 and in MPEG-TS', async () => {
    const sockets = await Promise.all(APPS.map(call));
    const encoder = wrappingEncoder();
    const demuxer = new TsDemuxer();
    const times: number[] = [];
    encoder.stdout.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += PAYLOAD) {
        for (const socket of sockets) socket.send(bytes.subarray(at, at + PAYLOAD));
      }
      for (const event of demuxer.push(bytes)) {
        if (event.type === 'sample') times.push(event.sample.dts / 1_000_000);
      }
    });
    const urls = APPS.map((app) => `${sluice.http}/${app}/wrap.m3u8`);
    const playlists = () => Promise.all(urls.map(async (url) => (await fetch(url)).text()));
    await until('there are playlists', async () => (await playlists()).every((text) => text.includes('#EXTINF')));
    const begunAt = times.at(-1);

    const options = { seconds: WATCHED_SECONDS, jitterSeconds: 1 };
    const found = await Promise.all(urls.map((url) => validateLive(url, options)));
    const texts = await playlists();
    encoder.kill('SIGTERM');
    await exited(encoder);
    for (const socket of sockets) socket.close('done');

    expect(begunAt).toBeLessThan(WRAP);
    expect(times.at(-1)).toBeGreaterThan(WRAP + 2);
    const faults = found.flat().filter(({ level }) => level === 'must');
    expect(faults.map(({ rule, detail, playlistUrl }) => `${rule}: ${detail} (${playlistUrl})`)).toEqual([]);
    for (const text of texts) expect(text).not.toMatch(/^#EXT-X-(DISCONTINUITY|GAP)$/m);
  });
});
