import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { FLV_SCRIPT, FLV_VIDEO, type FlvTag, FlvTagParser } from '@sluice/media';

/** The stream that is published: 720p30 H.264 at a constant 2 Mbit/s without B-frames, a keyframe each 2 s, AAC at 128 kbit/s. */
export const CLIP_DESCRIPTION = '720p30 H.264, 2 Mbit/s CBR, 2 s GOP, no B-frames; AAC 128 kbit/s';

const SECONDS = 30;
/** Bit rate of the picture. */
export type ClipRate = '1M' | '2M';
const fileOf = (rate: ClipRate) => `clip-720p30-${rate.toLowerCase()}-v1.flv`;
const encodingOf = (rate: ClipRate) => [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30'],
  ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
  ...['-t', String(SECONDS), '-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'main', '-pix_fmt', 'yuv420p'],
  ...['-bf', '0', '-g', '60', '-keyint_min', '60', '-sc_threshold', '0'],
  // nal-hrd=cbr fills up with filler NAL units where the picture needs less.
  ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', '1M', '-x264-params', 'nal-hrd=cbr'],
  ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-f', 'flv'],
];
/** One video frame: what lies between the end of a round and the beginning of the next. */
const FRAME_MS = 33;
const AVC_SEQUENCE_HEADER = 0;

/** @returns the clip's path; it is made at the first time */
export async function ensureClip(cacheFolder: string, rate: ClipRate = '2M'): Promise<string> {
  const path = `${cacheFolder}/${fileOf(rate)}`;
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const ffmpeg = process.env.FFMPEG_PATH ?? 'ffmpeg';
  const unfinished = `${path}.${process.pid}`;
  await promisify(execFile)(ffmpeg, ['-y', '-v', 'error', ...encodingOf(rate), unfinished]);
  await rename(unfinished, path);
  return path;
}

export async function readClip(path: string): Promise<FlvTag[]> {
  return new FlvTagParser().push(await readFile(path));
}

/** How long one round of the clip takes, in ms. */
export function roundMs(tags: readonly FlvTag[]): number {
  return (tags.at(-1)?.timestamp ?? 0) + FRAME_MS;
}

/** Script data and sequence headers, which belong to a stream's beginning only. */
export function isHeader({ type, body }: FlvTag): boolean {
  return type === FLV_SCRIPT || body[1] === AVC_SEQUENCE_HEADER;
}

/** The same stream as good as silent: its headers, its first keyframe, and one audio frame each second. */
export function idleVersion(tags: readonly FlvTag[]): FlvTag[] {
  const firstFrame = tags.find((tag) => tag.type === FLV_VIDEO && !isHeader(tag));
  let lastSecond = -1;
  return tags.filter((tag) => {
    if (isHeader(tag) || tag === firstFrame) return true;
    const second = Math.floor(tag.timestamp / 1000);
    if (tag.type === FLV_VIDEO || second === lastSecond) return false;
    lastSecond = second;
    return true;
  });
}
