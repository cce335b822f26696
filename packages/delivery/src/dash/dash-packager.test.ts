import { spawnSync } from 'node:child_process';
import { FlvDemuxer, Fmp4Reader, type Millis, micros, millis, type Sample, type TrackConfig } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { CutPolicy } from '../segments/cut-policy.js';
import { DashPackager, type DashPeriod } from './dash-packager.js';
import type { DashTrack } from './dash-track.js';

const SECONDS = 6;

/** Some seconds of a picture and a sound, as an encoder sends them. */
function stream(options: readonly string[] = [], picture = true) {
  const pictures = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25'];
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '50', ...options];
  const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
  const { stdout, stderr } = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'error', ...(picture ? pictures : []), ...tone, ...(picture ? coding : []), '-c:a', 'aac'],
      ...['-t', String(SECONDS), '-f', 'flv', '-flvflags', 'no_duration_filesize', '-'],
    ],
    { maxBuffer: 1 << 26 },
  );
  const events = new FlvDemuxer().push(stdout);
  const configs = events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []));
  const samples = events.flatMap((event): Sample[] => (event.type === 'sample' ? [event.sample] : []));
  if (samples.length === 0) throw new Error(stderr.toString());
  return { configs, samples: samples.sort((a, b) => a.dts - b.dts) };
}

const later = (samples: readonly Sample[], by: number): Sample[] =>
  samples.map((sample) => ({ ...sample, dts: micros(sample.dts + by), pts: micros(sample.pts + by) }));

function packager(wallTimeOf: (dts: number) => Millis = (dts) => millis(dts / 1000)) {
  const periods: DashPeriod[] = [];
  const durations: number[] = [];
  const unsupported: string[] = [];
  const made = new DashPackager({
    cuts: new CutPolicy(micros(2_000_000)),
    chunk: micros(200_000),
    wallTimeOf,
    events: {
      period: (period) => periods.push(period),
      chunk: () => {},
      segment: (_, duration) => durations.push(duration),
      followed: () => {},
      unsupported: ({ codec }) => unsupported.push(codec),
    },
  });
  return { packager: made, periods, durations, unsupported };
}

/** The samples in a track's segments. */
function samplesOf({ init, closed }: DashTrack): Sample[] {
  const reader = new Fmp4Reader();
  const bytes = [init, ...closed.flatMap(({ body }) => body.chunks)];
  return bytes
    .flatMap((chunk) => reader.push(chunk))
    .flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
}

const trackOf = (period: DashPeriod | undefined, kind: 'video' | 'audio'): DashTrack => {
  const track = period?.tracks.find(({ config }) => config.kind === kind);
  if (track === undefined) throw new Error(`no ${kind}`);
  return track;
};

describe('DashPackager', () => {
  it.each([
    ['without B-frames', ['-bf', '0']],
    ['with B-frames', ['-bf', '3']],
  ])('cuts picture and sound %s at the same times, and loses nothing', (_, options) => {
    const source = stream(options);
    const { packager: made, periods, durations } = packager();
    made.configure(source.configs);
    for (const sample of source.samples) made.sample(sample);
    made.flush();
    expect(durations).toEqual([2_000_000, 2_000_000, 0]);
    expect(periods).toHaveLength(1);
    const [video, audio] = [trackOf(periods[0], 'video'), trackOf(periods[0], 'audio')];
    expect(video.closed.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(video.closed.map(({ start }) => video.secondsOf(start))).toEqual([0, 2, 4]);
    expect(video.closed.every(({ independent }) => independent)).toBe(true);
    for (const [at, segment] of audio.closed.entries()) {
      // The first frame that doesn't begin before the picture; RTMP's milliseconds are imprecise.
      const behind = audio.secondsOf(segment.start) - at * 2;
      expect(behind).toBeGreaterThan(-0.002);
      expect(behind).toBeLessThan(1024 / 44_100 + 0.001);
    }
    for (const { body } of [...video.closed, ...audio.closed]) {
      expect(body.isComplete).toBe(true);
      expect(body.chunks.length).toBeGreaterThanOrEqual(9);
      expect(body.chunks[0]?.toString('latin1', 4, 8)).toBe('styp');
    }
    const begins = source.samples.find(({ kind }) => kind === 'video')?.pts ?? 0;
    for (const track of [video, audio]) {
      const sent = source.samples.filter(({ kind, pts }) => kind === track.config.kind && pts >= begins);
      const got = samplesOf(track);
      expect(got.map(({ data }) => data.toString('hex'))).toEqual(sent.map(({ data }) => data.toString('hex')));
      for (const [at, { pts }] of got.entries()) expect(Math.abs(pts - (sent[at]?.pts ?? 0))).toBeLessThan(2100);
      // What the list says of a segment is what is in it.
      for (const { start, body } of track.closed) {
        const reader = new Fmp4Reader();
        const events = [track.init, ...body.chunks].flatMap((bytes) => reader.push(bytes));
        const times = events.flatMap((event) => (event.type === 'sample' ? [event.sample.pts] : []));
        expect(Math.abs((start * 1_000_000) / track.timescale - Math.min(...times))).toBeLessThanOrEqual(1);
      }
    }
  });

  it('cuts sound by itself where there is no picture', () => {
    const source = stream([], false);
    const { packager: made, periods } = packager();
    made.configure(source.configs);
    for (const sample of source.samples) made.sample(sample);
    made.flush();
    const audio = trackOf(periods[0], 'audio');
    expect(audio.closed).toHaveLength(3);
    expect(samplesOf(audio)).toHaveLength(source.samples.length);
  });

  it('begins a period when an encoder comes back, at the time when it does, and when a codec changes', () => {
    const source = stream();
    // The encoder is away for five seconds, which the timeline doesn't show.
    const away = 5000;
    const { packager: made, periods } = packager((dts) => millis(dts / 1000 + (dts >= 6_500_000 ? away : 0)));
    made.configure(source.configs);
    for (const sample of source.samples) made.sample(sample);
    made.flush();
    for (const sample of later(source.samples, 7_000_000)) made.sample(sample);
    made.configure(source.configs.filter(({ kind }) => kind === 'audio'));
    for (const sample of later(source.samples, 14_000_000)) made.sample(sample);
    expect(periods.map(({ id, ended }) => [id, ended])).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
    const [first, second, third] = periods;
    expect((second?.startedAt ?? 0) - (first?.startedAt ?? 0)).toBeCloseTo(7000 + away, 0);
    expect(trackOf(second, 'video').closed.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(third?.tracks.map(({ id }) => id)).toEqual(['a1']);
  });

  it('begins a period in which the times are right again when media come late', () => {
    const source = stream();
    const { packager: made, periods } = packager((dts) => millis(dts / 1000 + (dts >= 3_500_000 ? 1500 : 0)));
    made.configure(source.configs);
    for (const sample of source.samples) made.sample(sample);
    made.flush();
    expect(periods).toHaveLength(2);
    expect((periods[1]?.startedAt ?? 0) - (periods[0]?.startedAt ?? 0)).toBeCloseTo(5500, 0);
    const [before, after] = periods.map((period) => samplesOf(trackOf(period, 'video')).length);
    expect([before, after]).toEqual([100, 50]);
  });

  it('never lets a period begin before the one before it has ended', () => {
    const source = stream();
    // Two encoders at once: the second takes over while the timeline is ahead.
    const { packager: made, periods } = packager((dts) => millis(dts >= 6_500_000 ? dts / 1000 - 4000 : dts / 1000));
    made.configure(source.configs);
    for (const sample of source.samples) made.sample(sample);
    made.flush();
    for (const sample of later(source.samples, 7_000_000)) made.sample(sample);
    const [first, second] = periods;
    const video = trackOf(first, 'video');
    const end = (first?.startedAt ?? 0) + video.secondsOf(video.end) * 1000;
    expect(second?.startedAt).toBeGreaterThanOrEqual(end);
  });

  it('leaves out what MP4 has no place for', () => {
    const vp8: TrackConfig = {
      kind: 'video',
      track: 0,
      codec: 'vp8',
      codecString: 'vp8',
      description: Buffer.alloc(0),
      width: 16,
      height: 16,
    };
    const { packager: made, unsupported } = packager();
    made.configure([vp8]);
    expect(unsupported).toEqual(['vp8']);
  });
});
