import { type ChildProcess, spawn } from 'node:child_process';
import {
  type AudioTrackConfig,
  MediaError,
  type Micros,
  micros,
  type Sample,
  TS_TIME_OFFSET,
  TsDemuxer,
  TsMuxer,
} from '@sluice/media';
import { messageOf } from '../errors.js';
import type { Logger } from '../logger.js';

export interface OpusConverterOptions {
  /** ffmpeg's file. */
  readonly ffmpeg: string;
  /** What comes in. */
  readonly config: AudioTrackConfig;
  /** An Opus packet, in order; its times are those of the sound that went in. */
  readonly emit: (packet: Buffer, pts: Micros) => void;
  readonly log: Logger;
  /** For the log. */
  readonly path: string;
}

/** Low delay before all: nothing is looked at twice, nothing is gathered. */
const INPUT = [
  '-fflags',
  'nobuffer',
  '-probesize',
  '32',
  '-analyzeduration',
  '0',
  '-copyts',
  '-f',
  'mpegts',
  '-i',
  'pipe:0',
];
const CODING = ['-map', '0:a:0', '-c:a', 'libopus', '-b:a', '96k', '-ac', '2', '-ar', '48000', '-frame_duration', '20'];
const OUTPUT = ['-f', 'mpegts', '-mpegts_copyts', '1', '-muxdelay', '0', '-muxpreload', '0', '-pes_payload_size', '0'];
const ARGUMENTS = ['-hide_banner', '-nostdin', '-loglevel', 'error', ...INPUT, ...CODING, '-application', 'lowdelay'];
/** What ffmpeg doesn't read in time is left out: sound that is late is no use. */
const MOST_WAITING_BYTES = 256 * 1024;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;
/** MPEG-TS counts 33 bits of 90 kHz. */
const TURN = (2 ** 33 / 90_000) * 1_000_000;
const TEXT_KEPT = 500;

/** Turns a stream's sound into Opus by an ffmpeg of its own, which is begun anew when it ends by itself. */
export class OpusConverter {
  readonly #options: OpusConverterOptions;
  #child: ChildProcess | undefined;
  #muxer: TsMuxer | undefined;
  #lastPts = 0;
  #failures = 0;
  #notBefore = 0;
  #isClosed = false;

  constructor(options: OpusConverterOptions) {
    this.#options = options;
  }

  /** Takes a sample of the sound. What comes of it is emitted some 100 ms later. */
  write(sample: Sample): void {
    if (this.#isClosed) return;
    if (this.#child === undefined) {
      if (performance.now() < this.#notBefore) return;
      this.#start();
    }
    const [input, muxer] = [this.#child?.stdin, this.#muxer];
    if (input == null || muxer === undefined || input.writableLength > MOST_WAITING_BYTES) return;
    this.#lastPts = sample.pts;
    try {
      input.write(muxer.sample(sample));
    } catch (error) {
      // A frame that can't be read: the sound goes on with the next one.
      if (!(error instanceof MediaError)) throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
  }

  #start(): void {
    const { ffmpeg, config, log, path } = this.#options;
    const child = spawn(ffmpeg, [...ARGUMENTS, ...OUTPUT, '-flush_packets', '1', 'pipe:1'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {},
    });
    const muxer = new TsMuxer([config]);
    const demuxer = new TsDemuxer();
    let said = '';
    const ended = (reason: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#failures += 1;
      const retryMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures - 1));
      this.#notBefore = performance.now() + retryMs;
      log.warn({ path, reason, detail: said.trim(), retryMs }, 'the conversion of the sound to Opus has ended');
    };
    child.once('error', (error) => ended(messageOf(error)));
    child.once('exit', (code, signal) => ended(`ffmpeg ended with ${signal ?? code}`));
    // It may end while it is written to; its exit says so.
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-TEXT_KEPT);
    });
    child.stdout.on('data', (bytes: Buffer) => {
      for (const event of demuxer.push(bytes)) {
        if (event.type !== 'sample') continue;
        this.#failures = 0;
        this.#options.emit(event.sample.data, this.#near(event.sample.pts));
      }
    });
    this.#child = child;
    this.#muxer = muxer;
    child.stdin.write(muxer.tables());
  }

  #stop(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  /** The turn of the clock that was meant. */
  #near(written: number): Micros {
    const pts = written - TS_TIME_OFFSET;
    return micros(pts + Math.round((this.#lastPts - pts) / TURN) * TURN);
  }
}
