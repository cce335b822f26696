import { execFile } from 'node:child_process';
import { type Sample, TsMuxer, type VideoTrackConfig } from '@sluice/media';
import { Refusal } from '../errors.js';
import { type FfmpegLimits, type FfmpegProgram, limited, standBack } from './ffmpeg-process.js';
import { ivfFile } from './ivf.js';
import { NO_FFMPEG } from './no-ffmpeg.js';
import { Turns } from './turns.js';

export interface PictureMakerOptions {
  /** Undefined where there is none: who asks for a picture is told so. */
  readonly program: FfmpegProgram | undefined;
  readonly limits: () => FfmpegLimits;
}

/** What is made of keyframes. */
export interface PictureShape {
  /** Filters of ffmpeg, which leave one picture. */
  readonly filter: string;
  /** Of mjpeg: 2 is the best, 31 the worst. */
  readonly quality: number;
}

const AT_ONCE = 2;
const MOST_WAITING = 50;
const PATIENCE_MS = 10_000;
const MOST_BYTES = 16 * 1024 * 1024;
const FRONT = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-threads', '1', '-protocol_whitelist', 'pipe', '-f'];
const MIDDLE = ['-i', 'pipe:0', '-map', '0:v:0', '-frames:v', '1', '-vf'];
const BACK = ['-pix_fmt', 'yuvj420p', '-c:v', 'mjpeg', '-f', 'image2pipe', 'pipe:1'];

/** Makes JPEGs of keyframes, by ffmpeg: a few at a time, and others wait for their turn. */
export class PictureMaker {
  readonly #options: PictureMakerOptions;
  readonly #turns = new Turns(AT_ONCE, MOST_WAITING);

  constructor(options: PictureMakerOptions) {
    this.#options = options;
  }

  /**
   * @param keyframes one or more of a track, in their order
   * @throws {Refusal} `unavailable`: there is no ffmpeg, or too many wait already
   * @throws {Error} with what ffmpeg said, where it can't read them
   */
  async make(config: VideoTrackConfig, keyframes: readonly Sample[], shape: PictureShape): Promise<Buffer> {
    const { program } = this.#options;
    if (program === undefined) throw new Refusal('unavailable', `no picture: ${NO_FFMPEG}`);
    const turn = this.#turns.take();
    if (turn === undefined) throw new Refusal('unavailable', 'too many pictures are being made; ask again');
    await turn;
    try {
      const [format, bytes] = fileOf(config, keyframes);
      const args = [...FRONT, format, ...MIDDLE, shape.filter, '-q:v', String(shape.quality), ...BACK];
      return await this.#run(program, args, bytes);
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

/** Keyframes as a file that ffmpeg reads, and the name of its format. */
function fileOf(config: VideoTrackConfig, samples: readonly Sample[]): readonly [format: string, bytes: Buffer] {
  if (config.codec === 'h264' || config.codec === 'hevc') {
    const muxer = new TsMuxer([config]);
    return ['mpegts', Buffer.concat([muxer.tables(), ...samples.map((sample) => muxer.sample(sample))])];
  }
  const pictures = samples.map(({ data }) => data);
  return ['ivf', ivfFile(config, pictures)];
}
