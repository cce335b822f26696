import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseStreamPath, type RecordedFile, silentLogger } from '@sluice/core';
import {
  FlvDemuxer,
  FragmentWriter,
  type MediaEvent,
  millis,
  readMp4,
  type Sample,
  type TrackConfig,
  writeFragment,
  writeGrowingMp4Head,
} from '@sluice/media';
import { Storage } from '@sluice/storage';
import { finishMp4 } from '../../packages/storage/src/recorder/finish/mp4.js';
import { ffmpeg, testPicture, testSound } from './ffmpeg.js';

const KEYFRAMES = 'keyint=25:min-keyint=25:bframes=2:open-gop=0';
const OPUS = ['-c:a', 'libopus'];

/** A stream as an encoder made it. */
export interface SourceStream {
  readonly tracks: readonly TrackConfig[];
  /** In the order in which they came. */
  readonly samples: readonly Sample[];
}

/** Makes a stream of 25 pictures a second with B-frames, a keyframe each second, and AAC sound. */
export async function makeSource(seconds: number, size = '320x180'): Promise<SourceStream> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-source-'));
  try {
    const file = join(directory, 'source.flv');
    const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-sc_threshold', '0'];
    const picture = [...testPicture({ seconds, size }), ...testSound(seconds)];
    await ffmpeg([...picture, ...codec, '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-f', 'flv', file]);
    const events: MediaEvent[] = new FlvDemuxer().push(await readFile(file));
    const tracks = events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    return { tracks, samples: events.flatMap((event) => (event.type === 'sample' ? [event.sample] : [])) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** What other encoders send, by what ffmpeg is told to make it. A keyframe each second. */
export const OTHER_SOURCES = {
  'HEVC and Opus': ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', `log-level=none:${KEYFRAMES}`, ...OPUS],
  'AV1 and Opus': ['-c:v', 'libsvtav1', '-preset', '12', '-g', '25', ...OPUS],
  'VP9 and AAC': ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25', '-c:a', 'aac'],
  'sound alone': ['-vn', '-c:a', 'aac'],
  'a picture alone': ['-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'],
  'two sounds': ['-map', '0:v', '-map', '1:a', '-map', '1:a', '-c:v', 'libx264', '-g', '25', '-c:a', 'aac'],
} as const;

/** Makes a stream of other codecs. */
export async function makeOtherSource(kind: keyof typeof OTHER_SOURCES, seconds: number): Promise<SourceStream> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-source-'));
  try {
    const file = join(directory, 'source.mp4');
    const picture = [...testPicture({ seconds }), ...testSound(seconds)];
    const movie = ['-pix_fmt', 'yuv420p', '-f', 'mp4', '-movflags', 'delay_moov+frag_keyframe', file];
    await ffmpeg([...picture, ...OTHER_SOURCES[kind], ...movie]);
    const events = readMp4(await readFile(file));
    const tracks = events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    return { tracks, samples: samples.sort((a, b) => a.dts - b.dts) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Cuts a stream where a picture's keyframe is at or after each of some seconds, as a recorder does. */
export function cutSource({ samples, tracks }: SourceStream, seconds: readonly number[]): Sample[][] {
  const clock = tracks.some(({ kind }) => kind === 'video') ? 'video' : 'audio';
  const parts: Sample[][] = [[]];
  const cuts = [...seconds];
  for (const sample of samples) {
    const [next] = cuts;
    if (next !== undefined && sample.kind === clock && sample.keyframe && sample.dts >= next * 1_000_000) {
      cuts.shift();
      parts.push([]);
    }
    parts.at(-1)?.push(sample);
  }
  return parts;
}

/** A file as a recorder has written it: growing, or finished in place. */
export function writeRecording(
  file: string,
  tracks: readonly TrackConfig[],
  samples: readonly Sample[],
  { isFinished = true } = {},
): { bytes: number; durationMs: number } {
  const head = writeGrowingMp4Head(tracks, { reserve: 64 * 1024 });
  const writers = new Map(tracks.map((config) => [config.track, new FragmentWriter(config)]));
  const pieces = [head.front, Buffer.alloc(head.hole), head.movie];
  let start = samples[0]?.dts ?? 0;
  const origin = samples.reduce((least, { dts }) => Math.min(least, dts), Number.POSITIVE_INFINITY);
  let sequence = 0;
  const flush = (finish: boolean) => {
    const runs = [...writers.values()].flatMap((writer) => (finish ? writer.finish() : writer.take()) ?? []);
    if (runs.length === 0) return;
    sequence += 1;
    pieces.push(...writeFragment(runs, { sequence }).pieces);
  };
  for (const sample of samples) {
    if (sample.dts - start >= 1_000_000) {
      flush(false);
      start = sample.dts;
    }
    const moved = { dts: sample.dts - origin, pts: sample.pts - origin };
    writers.get(sample.track)?.push({ ...sample, ...moved } as Sample);
  }
  if (isFinished) flush(true);
  const bytes = Buffer.concat(pieces);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  const durationMs = ((samples.at(-1)?.dts ?? 0) - origin) / 1000 + 40;
  if (!isFinished) return { bytes: bytes.length, durationMs };
  const descriptor = openSync(file, 'r+');
  try {
    return finishMp4(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The row of a file in the index. */
export function recordedFile(over: Partial<Omit<RecordedFile, 'path'>> & { path: string }): RecordedFile {
  return {
    id: 'file',
    recording: 'recording',
    container: 'mp4',
    file: 'file.mp4',
    state: 'ready',
    startedAt: millis(0),
    duration: 0,
    bytes: 0,
    tracks: [],
    gaps: [],
    isLocal: true,
    ...over,
    path: parseStreamPath(over.path),
  };
}

/** Puts rows into the index of a server that isn't running. */
export async function indexRecordings(dataDirectory: string, files: readonly RecordedFile[]): Promise<void> {
  const storage = await Storage.open({ dir: dataDirectory, log: silentLogger });
  for (const file of files) await storage.recordings.put(file);
  await storage.close();
}
