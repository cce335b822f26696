import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forbiddenShares, MARK_MODULUS, type ReadMark, readMarkOfPixels } from '../bbb-stub/src/index.js';
import { ffmpeg, ffprobe } from './ffmpeg.js';

const run = promisify(execFile);
const MAX_OUTPUT = 2048 * 1024 * 1024;
/** Pictures are looked at in this size: the marks are large. */
const [WIDTH, HEIGHT] = [640, 360];
const RATE = 48_000;
/** Above the tone and below the beep. */
const BEEP = 0.25;
const TONE = 0.05;
const MIN_BEEP_GAP_SECONDS = 0.5;

/** What was found in a stream that shows the stub's meeting. */
export interface Captured {
  readonly width: number;
  readonly height: number;
  readonly videoCodec: string;
  readonly audioCodec: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly seconds: number;
  /** Pictures of the stream, and different ones of the meeting, a second. */
  readonly picturesPerSecond: number;
  readonly distinctPerSecond: number;
  /** The longest time between two different pictures. */
  readonly longestGapMs: number;
  /** By how much each beep came after its flash. */
  readonly offsetsMs: readonly number[];
  /** The share of the time in which the tone is heard. */
  readonly toneShare: number;
  /** The largest share of the picture that each forbidden colour has in any. */
  readonly forbidden: Readonly<Record<string, number>>;
  readonly warnings: string;
}

/** Records a stream for some seconds and looks at what is in it. */
export async function lookAtCapture(url: string, seconds: number): Promise<Captured> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-captured-'));
  try {
    const file = join(folder, 'recorded.flv');
    await ffmpeg(['-i', url, '-t', String(seconds), '-c', 'copy', file]);
    return await lookAt(file, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function lookAt(file: string, folder: string): Promise<Captured> {
  const { streams, packets, warnings } = await ffprobe(file);
  const video = streams.find((stream) => stream.codec_type === 'video');
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  const timesOf = (kind: string) =>
    packets.filter((packet) => packet.codec_type === kind).map((packet) => Number(packet.pts_time));
  const pictureTimes = timesOf('video');
  const marks = await readPictures(file);
  const seen = marks.flatMap(({ mark }, index) => {
    const time = pictureTimes[index];
    return mark === undefined || time === undefined ? [] : [{ ...mark, time }];
  });
  const length = (pictureTimes.at(-1) ?? 0) - (pictureTimes[0] ?? 0);
  const changes = seen.filter(({ counter }, index) => counter !== seen[index - 1]?.counter);
  const gaps = changes.slice(1).map(({ time }, index) => (time - (changes[index]?.time ?? time)) * 1000);
  const { onsets, toneShare } = await readSound(file, folder, timesOf('audio'), Number(audio?.sample_rate ?? RATE));
  const flashes = seen.flatMap((mark, index) =>
    mark.isFlash && index > 0 && seen[index - 1]?.isFlash === false ? [mark.time] : [],
  );
  const forbidden: Record<string, number> = {};
  for (const { shares } of marks) {
    for (const [part, share] of Object.entries(shares)) forbidden[part] = Math.max(forbidden[part] ?? 0, share);
  }
  return {
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    videoCodec: video?.codec_name ?? '',
    audioCodec: audio?.codec_name ?? '',
    sampleRate: Number(audio?.sample_rate ?? 0),
    channels: audio?.channels ?? 0,
    seconds: length,
    picturesPerSecond: pictureTimes.length / length,
    distinctPerSecond: new Set(seen.map(({ counter }) => counter % MARK_MODULUS)).size / length,
    longestGapMs: Math.max(0, ...gaps),
    offsetsMs: onsets.flatMap((onset) => {
      const [near] = flashes.map((flash) => (onset - flash) * 1000).filter((offset) => Math.abs(offset) < 450);
      return near === undefined ? [] : [Math.round(near)];
    }),
    toneShare,
    forbidden,
    warnings,
  };
}

interface LookedAt {
  readonly mark: ReadMark | undefined;
  readonly shares: Readonly<Record<string, number>>;
}

async function readPictures(file: string): Promise<LookedAt[]> {
  const args = ['-v', 'error', '-i', file, '-vf', `scale=${WIDTH}:${HEIGHT}:flags=neighbor`, '-vsync', 'passthrough'];
  const { stdout } = await run('ffmpeg', [...args, '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: MAX_OUTPUT,
  });
  const size = WIDTH * HEIGHT * 3;
  return Array.from({ length: Math.floor(stdout.length / size) }, (_, index) => {
    const pixels = stdout.subarray(index * size, (index + 1) * size);
    const mark = readMarkOfPixels(pixels, { width: WIDTH, height: HEIGHT, bytesPerPixel: 3 });
    // Colours cost more to look for than numbers: now and then is enough.
    return { mark, shares: index % 10 === 0 ? forbiddenShares(pixels, 3) : {} };
  });
}

/** Decodes the sound; each packet of AAC is 1024 samples at its own time. */
async function readSound(file: string, folder: string, times: readonly number[], rate: number) {
  const raw = join(folder, 'sound.f32');
  await ffmpeg(['-i', file, '-map', '0:a', '-ac', '1', '-f', 'f32le', raw]);
  const bytes = await readFile(raw);
  const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const onsets: number[] = [];
  let loud = Number.NEGATIVE_INFINITY;
  let heard = 0;
  let peak = 0;
  samples.forEach((sample, index) => {
    peak = Math.max(peak, Math.abs(sample));
    if (index % 1024 === 1023) {
      if (peak > TONE) heard += 1;
      peak = 0;
    }
    const time = (times[Math.floor(index / 1024)] ?? Number.NaN) + (index % 1024) / rate;
    if (Math.abs(sample) < BEEP) return;
    if (time - loud > MIN_BEEP_GAP_SECONDS) onsets.push(time);
    loud = time;
  });
  return { onsets, toneShare: heard / Math.max(1, times.length) };
}
