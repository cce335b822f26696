import { execFile } from 'node:child_process';
import { type Millis, type Sample, TsMuxer, type VideoTrackConfig } from '@sluice/media';
import { messageOf, Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import type { Stream } from '../streams/stream.js';
import { type FfmpegLimits, type FfmpegProgram, limited, standBack } from './ffmpeg-process.js';
import { ivfFile } from './ivf.js';
import { NO_FFMPEG } from './no-ffmpeg.js';
import { Turns } from './turns.js';

/** A picture of a stream. */
export interface Snapshot {
  readonly jpeg: Buffer;
  /** When it was live, in wall time. */
  readonly at: Millis;
}

/** What is asked of a stream. */
type Pictured = Pick<Stream, 'path' | 'keyframe' | 'wallTimeOf'>;

export interface SnapshotsOptions {
  /** Undefined where there is none: who asks for a picture is told so. */
  readonly program: FfmpegProgram | undefined;
  readonly limits: () => FfmpegLimits;
  /** How often a stream's picture is made anew, at most. */
  readonly seconds: () => number;
  /** Monotonic. */
  readonly now: () => Millis;
  readonly log: Logger;
}

interface Made {
  readonly at: Millis;
  readonly snapshot: Promise<Snapshot>;
}

const AT_ONCE = 2;
const MOST_WAITING = 50;
const PATIENCE_MS = 10_000;
const MOST_BYTES = 16 * 1024 * 1024;
const FRONT = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-threads', '1', '-protocol_whitelist', 'pipe', '-f'];
const BACK = [
  ...['-i', 'pipe:0', '-map', '0:v:0', '-frames:v', '1', '-vf', "scale=w='min(1280,iw)':h=-2", '-pix_fmt', 'yuvj420p'],
  ...['-c:v', 'mjpeg', '-q:v', '4', '-f', 'image2pipe', 'pipe:1'],
];

/** Makes pictures of streams: the newest keyframe as JPEG, at most one every few seconds, shared by all who ask. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #made = new WeakMap<Pictured, Made>();
  readonly #turns = new Turns(AT_ONCE, MOST_WAITING);

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /**
   * The picture of a stream.
   *
   * @throws {Refusal} `unavailable`: there is no ffmpeg, or no picture that it can read, or too many wait already
   */
  of(stream: Pictured): Promise<Snapshot> {
    const { now, seconds, program } = this.#options;
    if (program === undefined) return Promise.reject(new Refusal('unavailable', `no picture: ${NO_FFMPEG}`));
    const known = this.#made.get(stream);
    if (known !== undefined && now() - known.at < seconds() * 1000) return known.snapshot;
    const { keyframe } = stream;
    if (keyframe === undefined) {
      return Promise.reject(new Refusal('unavailable', `${stream.path} has no keyframe to make a picture of`));
    }
    const snapshot = this.#make(program, stream, keyframe);
    // What failed is remembered as long: asking again and again costs nothing then.
    snapshot.catch(() => undefined);
    this.#made.set(stream, { at: now(), snapshot });
    return snapshot;
  }

  async #make(
    program: FfmpegProgram,
    stream: Pictured,
    { config, sample }: { config: VideoTrackConfig; sample: Sample },
  ): Promise<Snapshot> {
    const at = stream.wallTimeOf(sample.dts);
    const turn = this.#turns.take();
    if (turn === undefined) throw new Refusal('unavailable', 'too many pictures are being made; ask again');
    await turn;
    try {
      const [format, bytes] = fileOf(config, sample);
      return { jpeg: await this.#run(program, [...FRONT, format, ...BACK], bytes), at };
    } catch (error) {
      this.#options.log.warn({ path: stream.path, detail: messageOf(error) }, 'a picture of a stream can not be made');
      throw new Refusal('unavailable', `no picture can be made of ${stream.path}`, { cause: error });
    } finally {
      this.#turns.give();
    }
  }

  #run(program: FfmpegProgram, args: readonly string[], input: Buffer): Promise<Buffer> {
    const limits = this.#options.limits();
    const { file, front } = limited(program, limits);
    return new Promise((resolve, reject) => {
      const options = {
        encoding: 'buffer',
        timeout: PATIENCE_MS,
        killSignal: 'SIGKILL',
        maxBuffer: MOST_BYTES,
      } as const;
      const child = execFile(file, [...front, ...args], { ...options, env: {} }, (error, jpeg, said) => {
        if (error === null && jpeg.length > 0) resolve(jpeg);
        else reject(new Error(`ffmpeg made none: ${said.toString('latin1').trim().slice(-300) || error?.message}`));
      });
      standBack(child.pid, limits.nice);
      // It may end before it has read all; its exit says so.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  }
}

/** One keyframe as a file that ffmpeg reads, and the name of its format. */
function fileOf(config: VideoTrackConfig, sample: Sample): readonly [format: string, bytes: Buffer] {
  if (config.codec === 'h264' || config.codec === 'hevc') {
    const muxer = new TsMuxer([config]);
    return ['mpegts', Buffer.concat([muxer.tables(), muxer.sample(sample)])];
  }
  return ['ivf', ivfFile(config, sample.data)];
}
