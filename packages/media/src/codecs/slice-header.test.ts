import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg, testPicture } from '../../../../test/support/ffmpeg.js';
import { TsDemuxer } from '../mpegts/demuxer.js';
import type { Sample } from '../sample.js';
import type { TrackConfig } from '../track-config.js';
import { H264SliceHeaders } from './h264/slice-header.js';
import { HevcSliceHeaders } from './hevc/slice-header.js';
import { removeEmulationPrevention, splitLengthPrefixed } from './nal.js';

const run = promisify(execFile);
const x264 = (params: string, more: readonly string[] = []) => [
  ...['-c:v', 'libx264', '-preset', 'medium', '-g', '25', ...more],
  ...['-x264-params', `threads=1:${params}`],
];
const x265 = (params: string, preset = 'medium') => [
  ...['-c:v', 'libx265', '-preset', preset, '-pix_fmt', 'yuv420p'],
  ...['-x265-params', `log-level=error:keyint=25:${params}`],
];

/** Bits of each slice's headers, as ffmpeg's own reader of bitstreams lists them: the end of the last field. */
function tracedBits(trace: string): number[] {
  const bits: number[] = [];
  let end = 0;
  let isSlice = false;
  const close = () => {
    if (isSlice) bits.push(end);
    isSlice = false;
  };
  for (const line of trace.split('\n')) {
    const text = /^\[trace_headers @ \w+\] (.*)$/.exec(line)?.[1];
    if (text === undefined) continue;
    const field = /^(\d+) +\S+ +([01]+) = /.exec(text);
    if (field !== null) {
      end = Number(field[1]) + (field[2]?.length ?? 0);
      continue;
    }
    close();
    isSlice = /^Slice (Segment )?Header$/.test(text);
  }
  close();
  return bits;
}

describe('slice headers end where ffmpeg finds their end', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-slices-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each<[string, readonly string[]]>([
    ['H.264 CAVLC', x264('cabac=0:bframes=0')],
    ['H.264 with B-frames, weights and several references', x264('bframes=3:weightp=2:weightb=1:ref=4')],
    ['H.264 fading, so that weights are told', [...x264('weightp=2:bframes=2:ref=3'), '-vf', 'fade=in:0:40']],
    ['H.264 of many slices', x264('slices=8:bframes=2')],
    ['H.264 interlaced', x264('interlaced=1:bframes=2:ref=4', ['-flags', '+ilme+ildct'])],
    ['H.264 High 4:4:4', x264('bframes=1', ['-pix_fmt', 'yuv444p'])],
    ['H.264 of grey', x264('bframes=1:weightp=2', ['-pix_fmt', 'gray'])],
    ['H.264 without deblocking', x264('no-deblock=1:ref=1')],
    ['H.264 with open GOPs', x264('open-gop=1:bframes=3:b-pyramid=normal:keyint=12:min-keyint=12')],
    ['HEVC', x265('bframes=0', 'ultrafast')],
    ['HEVC with B-frames and weights', x265('bframes=4:weightp=1:weightb=1:b-adapt=2:ref=4:open-gop=1')],
    ['HEVC fading', [...x265('weightp=1:weightb=1:bframes=3:ref=3'), '-vf', 'fade=in:0:40']],
    ['HEVC of many slices', x265('slices=4:bframes=2')],
    ['HEVC with wavefronts', x265('wpp=1:bframes=2')],
    ['HEVC without SAO and deblocking', x265('sao=0:deblock=0')],
    ['HEVC without temporal motion vectors', x265('temporal-mvp=0:strong-intra-smoothing=0:bframes=3')],
    ['HEVC of small blocks', x265('ctu=16:min-cu-size=8:bframes=3:rd=3')],
    ['HEVC that refreshes its picture bit by bit', x265('intra-refresh=1:bframes=0')],
  ])('%s', async (_, args) => {
    const path = join(directory, 'made.mpegts');
    await ffmpeg([...testPicture({ seconds: 2, size: '640x360' }), ...args, '-f', 'mpegts', path]);
    const demuxer = new TsDemuxer();
    const events = [...demuxer.push(await readFile(path)), ...demuxer.flush()];
    const config = events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []))[0]!;
    const samples = events.flatMap((event): Sample[] => (event.type === 'sample' ? [event.sample] : []));
    const isH264 = config.codec === 'h264';
    const headers = isH264 ? new H264SliceHeaders(config.description) : new HevcSliceHeaders(config.description);
    const found = samples.flatMap(({ data }) =>
      splitLengthPrefixed(data, 4).flatMap((unit) => {
        const length = headers.headerLength(unit);
        return length === undefined ? [] : [removeEmulationPrevention(unit.subarray(0, length)).length];
      }),
    );
    const copy = ['-map', '0:v', '-c', 'copy', '-bsf:v', 'trace_headers', '-f', isH264 ? 'h264' : 'hevc', '/dev/null'];
    const { stderr } = await run('ffmpeg', ['-v', 'trace', '-nostdin', '-y', '-i', path, ...copy], {
      maxBuffer: 256 * 1024 * 1024,
    });
    expect(found).toEqual(tracedBits(stderr).map((bits) => Math.ceil(bits / 8)));
    expect(found.length).toBeGreaterThanOrEqual(50);
  });
});
