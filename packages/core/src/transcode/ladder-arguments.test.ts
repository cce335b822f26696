import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sample, type TrackConfig, TS_TIME_OFFSET, TsDemuxer } from '@sluice/media';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.js';
import type { RenditionSettings } from '../config/transcode-schema.js';
import type { FfmpegLine, FfmpegProgress } from './ffmpeg-output.js';
import { findFfmpeg, findProgram } from './ffmpeg-path.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import { hasOutput, type LadderPlan, ladderArguments } from './ladder-arguments.js';

const PROGRAM = { file: findFfmpeg(process.env) ?? '', prlimit: findProgram('prlimit', process.env) };
const LIMITS = { nice: 5, memoryMb: 1024 };
const PICTURE = { codec: 'h264', width: 320, height: 180, rate: 50 } as const;
const THREADS = { decoder: 1, encoder: 1 };
const SECONDS = 2;

function settings(yaml: string): RenditionSettings {
  const text = `transcode: { renditions: { only: ${yaml} } }`;
  const only = loadConfig({ file: { name: 'x', text } }).transcode.renditions.only;
  if (only === undefined) throw new Error('nothing was configured');
  return only;
}

interface Made {
  readonly configs: TrackConfig[];
  readonly samples: Sample[];
}

function read(bytes: Buffer): Made {
  const demuxer = new TsDemuxer();
  const events = [...demuxer.push(bytes), ...demuxer.flush()];
  return {
    configs: events.flatMap((event) => (event.type === 'config' ? [event.config] : [])),
    samples: events.flatMap((event) => (event.type === 'sample' ? [event.sample] : [])),
  };
}

const pictures = ({ samples }: Made) => samples.filter(({ kind }) => kind === 'video');
const keyframes = (made: Made) => pictures(made).filter(({ keyframe }) => keyframe);

describe("a ladder's ffmpeg", () => {
  let directory: string;
  let mark: string;
  let source: Buffer;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-ladder-'));
    mark = join(directory, 'a mark, with %d and : in its name.png');
    make(['-f', 'lavfi', '-i', 'color=gray:size=40x40', '-frames:v', '1', '-f', 'apng', mark]);
    source = make([
      ...['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=50:duration=${SECONDS}`],
      ...['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=44100:duration=${SECONDS}`],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-bf',
        '2',
        '-force_key_frames',
        '0.38,1.02',
        '-pix_fmt',
        'yuv420p',
      ],
      ...['-c:a', 'aac', '-muxdelay', '0', '-muxpreload', '0', '-output_ts_offset', '0.7', '-f', 'mpegts', '-'],
    ]);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function make(args: readonly string[], input?: Buffer): Buffer {
    const options = { maxBuffer: 1 << 26, ...(input === undefined ? {} : { input }) };
    const { stdout, stderr, status } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args], options);
    if (status !== 0) throw new Error(stderr.toString());
    return stdout;
  }

  /** What it makes of the source, when all of it has been read. */
  async function ladder(plan: Omit<LadderPlan, 'threads' | 'picture' | 'hasSound'>): Promise<{
    written: Buffer[];
    made: Made[];
    lines: FfmpegLine[];
    progress: FfmpegProgress[];
  }> {
    const bytes: Buffer[][] = plan.steps.map(() => []);
    const lines: FfmpegLine[] = [];
    const progress: FfmpegProgress[] = [];
    await new Promise<void>((resolve) => {
      const process = new FfmpegProcess({
        ...{ program: PROGRAM, limits: LIMITS, outputs: plan.steps.length },
        args: ladderArguments({ ...plan, picture: PICTURE, hasSound: true, threads: THREADS }),
        onOutput: (output, chunk) => void bytes[output]?.push(chunk),
        onProgress: (newest) => progress.push(newest),
        onLine: (line) => lines.push(line),
        onEnd: () => resolve(),
      });
      process.write(source);
      process.end();
    });
    const written = bytes.map((chunks) => Buffer.concat(chunks));
    return { written, made: written.map(read), lines, progress };
  }

  it('gives pictures of each size and codec, at the times of the source, with its keyframes', async () => {
    const { made, lines, progress } = await ladder({
      steps: [
        { settings: settings('{ height: 90, videoBitrate: 200, preset: ultrafast, audio: copy }') },
        { settings: settings('{ height: 90, videoBitrate: 200, codec: hevc, preset: ultrafast, audio: opus }') },
        { settings: settings('{ height: 60, videoBitrate: 100, frameRate: 20, audio: none, deinterlace: true }') },
        { settings: settings('{ codec: none, audioBitrate: 48 }') },
      ],
    });
    const [copied, hevc, thin, sound] = made;
    if (copied === undefined || hevc === undefined || thin === undefined || sound === undefined)
      throw new Error('four');
    expect(made.map(({ configs }) => configs.map(({ codec }) => codec).sort())).toEqual([
      ['aac', 'h264'],
      ['hevc', 'opus'],
      ['h264'],
      ['aac'],
    ]);
    const from = read(source);
    expect(keyframes(from)).toHaveLength(3);
    for (const rendition of [copied, hevc, thin]) {
      expect(keyframes(rendition).map(({ pts }) => Math.round(pts / 1000))).toEqual(
        keyframes(from).map(({ pts }) => Math.round(pts / 1000)),
      );
      expect(pictures(rendition).every(({ pts, dts }) => pts === dts)).toBe(true);
    }
    expect(pictures(copied)).toHaveLength(SECONDS * 50);
    // Every third picture at most, and each keyframe.
    expect(pictures(thin).length).toBeGreaterThan(SECONDS * 15);
    expect(pictures(thin).length).toBeLessThan(SECONDS * 20);
    const sounds = ({ samples }: Made) => samples.filter(({ kind }) => kind === 'audio');
    expect(sounds(copied).map(({ data }) => data.toString('hex'))).toEqual(
      sounds(from).map(({ data }) => data.toString('hex')),
    );
    expect(Math.abs((sounds(sound)[0]?.pts ?? 0) - TS_TIME_OFFSET)).toBeLessThan(60_000);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(progress.at(-1)?.frames).toBe(SECONDS * 50);
  });

  it('goes on behind what has been made, with a keyframe', async () => {
    const { made } = await ladder({
      steps: [{ settings: settings('{ height: 90, videoBitrate: 200, preset: ultrafast }'), after: 0.7 + 0.5 }],
    });
    const [first] = made[0] === undefined ? [] : pictures(made[0]);
    expect(first).toMatchObject({ keyframe: true, pts: 1_220_000 });
  });

  it('puts a watermark where it belongs, whatever the name of its file', async () => {
    const file = JSON.stringify(mark);
    const { written, made, lines } = await ladder({
      steps: [
        {
          settings: settings(
            `{ height: 180, videoBitrate: 2000, preset: ultrafast, watermark: { file: ${file}, position: bottom-left } }`,
          ),
        },
        { settings: settings('{ height: 180, videoBitrate: 2000, preset: ultrafast }') },
      ],
    });
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(made.map((rendition) => pictures(rendition).length)).toEqual([SECONDS * 50, SECONDS * 50]);
    const isGrey = written.map((bytes) => {
      const corner = [
        '-vf',
        'crop=36:36:18:126,scale=1:1',
        '-frames:v',
        '1',
        '-pix_fmt',
        'rgb24',
        '-f',
        'rawvideo',
        '-',
      ];
      const [red = 0, green = 0, blue = 0] = make(['-f', 'mpegts', '-i', '-', ...corner], bytes);
      return [red, green, blue].every((part) => Math.abs(part - 128) < 12);
    });
    expect(isGrey).toEqual([true, false]);
  });

  it('ends with a reason when it may not take the memory that it needs', async () => {
    if (PROGRAM.prlimit === undefined) return;
    const reason = await new Promise<string>((resolve) => {
      const process = new FfmpegProcess({
        ...{ program: PROGRAM, limits: { nice: 19, memoryMb: 4 }, outputs: 1 },
        args: ladderArguments({
          ...{ picture: PICTURE, hasSound: false, threads: THREADS },
          steps: [{ settings: settings('{ height: 180, videoBitrate: 2000 }') }],
        }),
        onOutput: () => undefined,
        onProgress: () => undefined,
        onLine: () => undefined,
        onEnd: resolve,
      });
      process.write(source);
    });
    expect(reason).toMatch(/^ffmpeg ended with (?!0$)/);
  });

  it('opens nothing but pipes and watermarks', () => {
    const args = ladderArguments({
      ...{ picture: PICTURE, hasSound: true, threads: THREADS },
      steps: [{ settings: settings('{ height: 90, videoBitrate: 200, watermark: { file: "http://x/y.png" } }') }],
    });
    const inputs = args.flatMap((arg, at) => (arg === '-i' ? [args[at + 1]] : []));
    expect(inputs).toEqual(['pipe:0', 'file:http://x/y.png']);
    expect(args.filter((arg) => arg === '-protocol_whitelist')).toHaveLength(inputs.length);
    expect(args.at(-1)).toBe('pipe:3');
  });

  it('uses a chip where one is named', () => {
    const args = ladderArguments({
      ...{ picture: PICTURE, hasSound: false, threads: THREADS },
      steps: [{ settings: settings('{ height: 90, videoBitrate: 200, encoder: h264_vaapi }') }],
    }).join(' ');
    expect(args).toMatch(/-vaapi_device \S+ .*format=nv12,hwupload\[out0\].*-c:v h264_vaapi -b:v 200k/);
  });
});

describe('hasOutput', () => {
  it('knows what comes of a source without picture, or without sound', () => {
    const both = settings('{ height: 90, videoBitrate: 200 }');
    const sound = settings('{ codec: none }');
    expect([hasOutput(both, false, true), hasOutput(both, true, false)]).toEqual([true, true]);
    expect([hasOutput(sound, true, false), hasOutput(sound, false, true)]).toEqual([false, true]);
  });
});
