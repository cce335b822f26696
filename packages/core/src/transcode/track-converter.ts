import { type ChildProcess, spawn } from 'node:child_process';
import {
  MediaError,
  type MediaEvent,
  type Micros,
  micros,
  type Sample,
  type TrackConfig,
  TS_TIME_OFFSET,
  TsDemuxer,
  TsMuxer,
} from '@sluice/media';
import { messageOf } from '../errors.js';
import { growingPause } from '../growing-pause.js';
import type { Logger } from '../logger.js';

/** What a track can be turned into. */
export type ConvertedCodec = 'opus' | 'aac' | 'h264';

export interface TrackConverterOptions {
  /** ffmpeg's file. */
  readonly ffmpeg: string;
  /** What comes in. */
  readonly config: TrackConfig;
  readonly to: ConvertedCodec;
  /** The track's new configuration and its samples, in order; their times are those of what went in. */
  readonly emit: (event: ConvertedEvent) => void;
  readonly log: Logger;
  /** For the log. */
  readonly path: string;
}

export type ConvertedEvent = Extract<MediaEvent, { readonly type: 'config' | 'sample' }>;

/** Low delay before all: nothing is looked at twice, nothing is gathered. */
const INPUT = [
  ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-probesize', '32'],
  ...['-analyzeduration', '0', '-threads', '1', '-copyts', '-f', 'mpegts', '-i', 'pipe:0'],
];
const OUTPUT = [
  ...['-f', 'mpegts', '-mpegts_copyts', '1', '-muxdelay', '0', '-muxpreload', '0', '-pes_payload_size', '0'],
  ...['-flush_packets', '1', 'pipe:1'],
];
const SOUND = ['-map', '0:a:0', '-ac', '2', '-ar', '48000'];
const CODING: Readonly<Record<ConvertedCodec, readonly string[]>> = {
  opus: [...SOUND, '-c:a', 'libopus', '-b:a', '96k', '-frame_duration', '20', '-application', 'lowdelay'],
  aac: [...SOUND, '-c:a', 'aac', '-b:a', '128k'],
  // Keyframes stay where they are, for viewers and segments begin there.
  h264: [
    ...[
      '-map',
      '0:v:0',
      '-fps_mode',
      'passthrough',
      '-enc_time_base',
      '-1',
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-tune',
      'zerolatency',
      '-bf',
      '0',
      '-crf',
      '21',
    ],
    ...['-maxrate', '8M', '-bufsize', '8M', '-pix_fmt', 'yuv420p', '-g', '9999', '-force_key_frames', 'source'],
  ],
};
/** How long what is late is kept: sound of some seconds, or a few large pictures. */
const MOST_WAITING_BYTES = { audio: 256 * 1024, video: 4 * 1024 * 1024 };
const DELAYS = { firstMs: 1000, longestMs: 30_000 } as const;
/** MPEG-TS counts 33 bits of 90 kHz. */
const TURN = (2 ** 33 / 90_000) * 1_000_000;
const TEXT_KEPT = 500;

/** Turns a track into another codec by an ffmpeg of its own, which is begun anew when it ends by itself. */
export class TrackConverter {
  readonly #options: TrackConverterOptions;
  #child: ChildProcess | undefined;
  #muxer: TsMuxer | undefined;
  #lastPts = 0;
  #failures = 0;
  #notBefore = 0;
  #isClosed = false;
  #awaitsKeyframe = false;

  constructor(options: TrackConverterOptions) {
    this.#options = options;
  }

  /** Takes a sample of the track. What comes of it is emitted some 100 ms later. */
  write(sample: Sample): void {
    if (this.#isClosed) return;
    if (this.#child === undefined) {
      if (performance.now() < this.#notBefore || !sample.keyframe) return;
      this.#start();
    }
    const [input, muxer] = [this.#child?.stdin, this.#muxer];
    if (input == null || muxer === undefined) return;
    // What ffmpeg doesn't read in time is left out, up to where it can begin again.
    if (input.writableLength > MOST_WAITING_BYTES[sample.kind]) this.#awaitsKeyframe = true;
    else if (sample.keyframe) this.#awaitsKeyframe = false;
    if (this.#awaitsKeyframe) return;
    this.#lastPts = sample.pts;
    try {
      input.write(muxer.sample(sample));
    } catch (error) {
      // A sample that can't be read: it goes on with the next one.
      if (!(error instanceof MediaError)) throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  #start(): void {
    const { ffmpeg, config, to, log, path } = this.#options;
    const child = spawn(ffmpeg, [...INPUT, ...CODING[to], ...OUTPUT], { stdio: ['pipe', 'pipe', 'pipe'], env: {} });
    const muxer = new TsMuxer([config]);
    const demuxer = new TsDemuxer();
    let said = '';
    const ended = (reason: string): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#failures += 1;
      const retryMs = growingPause(this.#failures, DELAYS);
      this.#notBefore = performance.now() + retryMs;
      const { codec } = config;
      log.warn({ path, codec, to, reason, detail: said.trim(), retryMs }, 'the conversion of a track has ended');
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
        if (event.type === 'config' || event.type === 'sample') this.#emit(event);
      }
    });
    this.#child = child;
    this.#muxer = muxer;
    this.#awaitsKeyframe = false;
    child.stdin.write(muxer.tables());
  }

  #emit(event: ConvertedEvent): void {
    if (this.#isClosed) return;
    const { config, emit } = this.#options;
    const { track } = config;
    if (event.type === 'config') {
      emit({ ...event, config: { ...event.config, track } });
      return;
    }
    this.#failures = 0;
    const { pts, dts } = event.sample;
    emit({ type: 'sample', sample: { ...event.sample, track, pts: this.#near(pts), dts: this.#near(dts) } });
  }

  /** The turn of the clock that was meant. */
  #near(written: number): Micros {
    const time = written - TS_TIME_OFFSET;
    return micros(time + Math.round((this.#lastPts - time) / TURN) * TURN);
  }
}
