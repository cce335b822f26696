import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clip, makeClip } from './support/clip.js';
import { ffprobe, type Probed } from './support/ffmpeg.js';
import { IS_LONG } from './support/long.js';
import { ClipPublisher, exited, ffmpegPublisher } from './support/publisher.js';
import { startServer, type TestServer } from './support/server.js';
import { until } from './support/until.js';
import { HlsViewer, httpFlvViewer, rtmpViewer, webSocketViewer } from './support/viewers.js';

const SECONDS = 5;
const VIDEO_FRAMES = SECONDS * 25;

describe('real clients', () => {
  let sluice: TestServer;
  beforeEach(async () => {
    sluice = await startServer('publish: { graceSeconds: 0 }\nhls: { always: true, segmentSeconds: 1, segments: 10 }');
  });
  afterEach(() => sluice.stop());

  it.each([...(IS_LONG ? ([['without B-frames', 0]] as const) : []), ['with B-frames', 2]] as const)(
    'ffmpeg publishes H.264 and AAC %s; ffprobe reads every frame over RTMP, HTTP-FLV and HLS',
    async (_, bFrames) => {
      // Viewers that are there first wait for the stream, and so get it from its first frame.
      const overRtmp = ffprobe(`${sluice.rtmp}/live/show`);
      const overFlv = ffprobe(`${sluice.http}/live/show.flv`);
      await until('both wait', () => opened(sluice) === 2);
      const encoder = ffmpegPublisher(`${sluice.rtmp}/live/show`, { seconds: SECONDS, bFrames });
      await until('the stream is live', () => sluice.log.some((line) => line.msg === 'stream is live'));
      const overHls = ffprobe(`${sluice.http}/live/show.m3u8`, ['-live_start_index', '0']);
      expect(await exited(encoder)).toBe(0);

      for (const [name, probing] of Object.entries({ overRtmp, overFlv, overHls })) {
        const probed = await probing;
        expect([name, codecsOf(probed)]).toEqual([name, ['aac 48000', 'h264 320x180']]);
        const video = probed.packets.filter((packet) => packet.codec_type === 'video');
        const audio = probed.packets.filter((packet) => packet.codec_type === 'audio');
        expect([name, video.length]).toEqual([name, VIDEO_FRAMES]);
        expect([name, video.filter((packet) => packet.flags.startsWith('K')).length]).toEqual([name, SECONDS]);
        expect(audio.length).toBeGreaterThanOrEqual((SECONDS * 48_000) / 1024 - 2);
        expectMonotone(name, probed);
        expect(spanOf(video)).toBeCloseTo(SECONDS - 1 / 25, 1);
        expect(spanOf(audio)).toBeCloseTo(SECONDS, 1);
        const reordered = video.some((packet) => packet.pts_time !== packet.dts_time);
        expect([name, reordered]).toEqual([name, bFrames > 0]);
      }
    },
  );

  it('our client publishes HEVC and AAC by Enhanced RTMP; viewers and ffprobe get every frame', async () => {
    const clip = await makeClip('hevc', SECONDS);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/hevc`, clip);
    const viewers = await Promise.all([
      rtmpViewer(`${sluice.rtmp}/live/hevc`),
      httpFlvViewer(`${sluice.http}/live/hevc.flv`),
      webSocketViewer(`${sluice.ws}/live/hevc.flv`),
    ]);
    const overHls = ffprobe(`${sluice.http}/live/hevc.m3u8`, ['-live_start_index', '0']);
    await until('the clip is sent', () => publisher.done);
    await publisher.stop();
    for (const viewer of viewers) {
      await until('the viewer is let go', () => viewer.ended);
      expect(viewer.events.find((event) => event.type === 'config' && event.config.codec === 'hevc')).toBeDefined();
      expect(viewer.samples.filter((sample) => sample.kind === 'video').map((sample) => sample.data)).toEqual(
        videoOf(clip).map((sample) => sample.data),
      );
    }
    const probed = await overHls;
    expect(codecsOf(probed)).toEqual(['aac 48000', 'hevc 320x180']);
    expect(probed.packets.filter((packet) => packet.codec_type === 'video')).toHaveLength(VIDEO_FRAMES);
    expectMonotone('HLS', probed);
  });

  it('a stream without a picture plays over each protocol, and `?audio=0` leaves the sound out', async () => {
    const sound = await makeClip('none', 4);
    const publisher = await ClipPublisher.start(`${sluice.rtmp}/live/radio`, sound);
    const viewers = await Promise.all([
      rtmpViewer(`${sluice.rtmp}/live/radio`),
      httpFlvViewer(`${sluice.http}/live/radio.flv`),
      webSocketViewer(`${sluice.ws}/live/radio.flv`),
    ]);
    const hls = new HlsViewer(`${sluice.http}/live/radio.m3u8`);
    await until('all have sound', () => [...viewers, hls].every((viewer) => viewer.samples.length > 60));
    await hls.leave();
    await publisher.stop();

    const both = await ClipPublisher.start(`${sluice.rtmp}/live/both`, await makeClip('h264', 3));
    const silent = await httpFlvViewer(`${sluice.http}/live/both.flv?audio=0`);
    const dark = await httpFlvViewer(`${sluice.http}/live/both.flv?video=0`);
    await until('both have something', () => silent.samples.length > 20 && dark.samples.length > 20);
    expect(new Set(silent.samples.map((sample) => sample.kind))).toEqual(new Set(['video']));
    expect(new Set(dark.samples.map((sample) => sample.kind))).toEqual(new Set(['audio']));
    await both.stop();
  });
});

const opened = (sluice: TestServer) => sluice.log.filter((line) => line.msg === 'session opened').length;
const videoOf = (clip: Clip) => clip.samples.filter((sample) => sample.kind === 'video');

function codecsOf(probed: Probed): string[] {
  return probed.streams
    .map((s) =>
      s.codec_type === 'video' ? `${s.codec_name} ${s.width}x${s.height}` : `${s.codec_name} ${s.sample_rate}`,
    )
    .sort();
}

function spanOf(packets: Probed['packets']): number {
  const times = packets.map((packet) => Number(packet.pts_time)).sort((a, b) => a - b);
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}

function expectMonotone(name: string, probed: Probed): void {
  for (const kind of ['video', 'audio'] as const) {
    const times = probed.packets
      .filter((packet) => packet.codec_type === kind)
      .map((packet) => Number(packet.dts_time));
    const backward = times.filter((time, index) => index > 0 && time <= (times[index - 1] ?? 0));
    expect([name, kind, backward]).toEqual([name, kind, []]);
  }
}
