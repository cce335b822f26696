import { type ChildProcess, spawn } from 'node:child_process';
import { flvOpeningMessages, flvSampleMessage, micros, type Sample, type TrackConfig } from '@sluice/media';
import { RtmpClient, type RtmpClientOptions } from '@sluice/rtmp';
import type { Clip } from './clip.js';

const TICK_MS = 10;

const firstDts = (samples: readonly Sample[]): number => samples[0]?.dts ?? 0;

/** After which the first sample comes again: to where the next picture would be, or the next sound. */
function loopLength(samples: readonly Sample[]): number {
  const video = samples.filter((sample) => sample.kind === 'video');
  const paced = video.length > 1 ? video : samples;
  const last = paced.at(-1)?.dts ?? 0;
  const step = last - (paced.at(-2)?.dts ?? 0);
  return last + step - firstDts(paced);
}

/** Publishes a clip over RTMP in real time, as an encoder does. */
export class ClipPublisher {
  readonly client: RtmpClient;
  readonly #configs: readonly TrackConfig[];
  readonly #samples: readonly Sample[];
  readonly #length: number;
  readonly #loop: boolean;
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #began = 0;
  #pausedAt = 0;

  private constructor(client: RtmpClient, clip: Clip, loop: boolean) {
    this.client = client;
    this.#loop = loop;
    this.#configs = clip.events.flatMap((event) => (event.type === 'config' ? [event.config] : []));
    this.#length = loopLength(clip.samples);
    this.#samples = clip.samples.filter((sample) => sample.dts - firstDts(clip.samples) < this.#length);
  }

  static async start(
    url: string,
    clip: Clip,
    options: { loop?: boolean } & Pick<RtmpClientOptions, 'onClose' | 'onReconnectRequest'> = {},
  ): Promise<ClipPublisher> {
    const { loop = false, ...heard } = options;
    const client = await RtmpClient.connect(url, heard);
    await client.publish();
    const publisher = new ClipPublisher(client, clip, loop);
    publisher.#begin();
    return publisher;
  }

  /** Samples sent so far. */
  get sent(): number {
    return this.#sent;
  }

  get done(): boolean {
    return this.#timer === undefined;
  }

  /** Sends nothing until `resume`, as an encoder that hangs. */
  pause(): void {
    this.#pausedAt = performance.now();
    this.#halt();
  }

  resume(): void {
    this.#began += performance.now() - this.#pausedAt;
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
  }

  /** Ends the publish politely. */
  async stop(): Promise<void> {
    this.#halt();
    await this.client.close();
  }

  /** Breaks off as a crashed encoder does. */
  kill(): void {
    this.#halt();
    this.client.destroy();
  }

  #halt(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    for (const message of flvOpeningMessages(this.#configs)) this.client.send(message);
    this.#began = performance.now();
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
  }

  #sendDue(): void {
    const first = firstDts(this.#samples);
    const elapsed = (performance.now() - this.#began) * 1000;
    for (;;) {
      const round = Math.floor(this.#sent / this.#samples.length);
      const sample = this.#samples[this.#sent % this.#samples.length];
      if (sample === undefined || (round > 0 && !this.#loop)) {
        this.#halt();
        return;
      }
      const at = sample.dts - first + round * this.#length;
      if (at > elapsed) return;
      this.#send({ ...sample, dts: micros(at), pts: micros(at + sample.pts - sample.dts) });
    }
  }

  #send(sample: Sample): void {
    const config = this.#configs.find((candidate) => candidate.track === sample.track);
    if (config === undefined) return;
    this.client.send(flvSampleMessage(sample, config));
    this.#sent += 1;
  }
}

/** ffmpeg as an encoder: a test picture and sound, in real time. */
export function ffmpegPublisher(url: string, options: { seconds: number; bFrames: number }): ChildProcess {
  const { seconds, bFrames } = options;
  const input = ['-re', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`];
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', String(bFrames)];
  const output = ['-c:a', 'aac', '-f', 'flv', url];
  return spawn('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', ...input, ...sound, ...video, ...output], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Resolves with the exit code, where it wasn't a signal that ended it. */
export function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', resolve));
}
