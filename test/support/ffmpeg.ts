import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT = 256 * 1024 * 1024;

/** Runs ffmpeg to its end. Throws with what it said when it fails. */
export async function ffmpeg(args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args], { maxBuffer: MAX_OUTPUT });
}

/** Arguments for a test picture, in real time order but as fast as it goes. */
export function testPicture(options: { seconds: number; rate?: number; size?: string }): string[] {
  const { seconds, rate = 25, size = '320x180' } = options;
  return ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`];
}

/** Arguments for a test sound. */
export function testSound(seconds: number): string[] {
  return ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`];
}

/** A packet as ffprobe lists it. */
export interface ProbedPacket {
  readonly codec_type: 'video' | 'audio';
  readonly stream_index: number;
  readonly pts_time?: string;
  readonly dts_time?: string;
  readonly size: string;
  readonly flags: string;
}

export interface ProbedStream {
  readonly index: number;
  readonly codec_name: string;
  readonly codec_type: 'video' | 'audio';
  readonly profile?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_rate?: string;
  readonly channels?: number;
}

export interface Probed {
  readonly packets: readonly ProbedPacket[];
  readonly streams: readonly ProbedStream[];
  /** What ffprobe complained about. */
  readonly warnings: string;
}

/** Lists the packets and streams of a file or URL. */
export async function ffprobe(input: string, args: readonly string[] = []): Promise<Probed> {
  const { stdout, stderr } = await run(
    'ffprobe',
    ['-v', 'warning', '-of', 'json', '-show_packets', '-show_streams', ...args, input],
    { maxBuffer: MAX_OUTPUT },
  );
  const parsed = JSON.parse(stdout) as { packets: ProbedPacket[]; streams: ProbedStream[] };
  return { packets: parsed.packets, streams: parsed.streams, warnings: stderr };
}
