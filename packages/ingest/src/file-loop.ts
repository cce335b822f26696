import { readFile } from 'node:fs/promises';
import {
  type Admission,
  type Clock,
  configuredRequest,
  type Doorkeeper,
  type Publication,
  type StreamRouter,
} from '@sluice/core';
import { FlvDemuxer, type MediaEvent, type Micros, type Millis, micros, type Sample } from '@sluice/media';

/** What is due is sent this often: finer than a frame. */
const TICK_MS = 10;
const PROTOCOL = 'file';

/** Publishes an FLV file over and over, in real time, as if an encoder did. */
export class FileLoop {
  readonly #samples: readonly Sample[];
  readonly #length: Micros;
  readonly #clock: Clock;
  readonly #publication: Publication;
  readonly #admission: Admission;
  readonly #startedAt: Millis;
  #timer: NodeJS.Timeout;
  #next = 0;
  #round = 0;
  #bytes = 0;

  private constructor(options: {
    events: readonly MediaEvent[];
    clock: Clock;
    admission: Admission;
    router: StreamRouter;
  }) {
    this.#samples = options.events
      .flatMap((event) => (event.type === 'sample' ? [event.sample] : []))
      .sort((a, b) => a.dts - b.dts);
    this.#length = lengthOf(this.#samples);
    this.#clock = options.clock;
    this.#admission = options.admission;
    this.#admission.bind({
      cut: (reason) => this.stop(reason),
      traffic: () => ({ received: this.#bytes, sent: 0 }),
    });
    this.#publication = options.router.publish(options.admission.session, { cut: (reason) => this.stop(reason) });
    this.#startedAt = this.#clock.monotonic();
    for (const event of options.events) {
      if (event.type === 'config' || event.type === 'metadata') this.#publication.write(event);
    }
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
  }

  /**
   * Reads the file and begins to publish it.
   *
   * @throws where the file can't be read, holds no samples, or the path is not to be had
   */
  static async start(
    file: string,
    path: string,
    context: { gate: Doorkeeper; router: StreamRouter; clock: Clock },
  ): Promise<FileLoop> {
    const events = new FlvDemuxer().push(await readFile(file));
    if (!events.some((event) => event.type === 'sample')) throw new Error(`${file} holds no media`);
    const admission = await context.gate.admit(
      configuredRequest({
        action: 'publish',
        protocol: PROTOCOL,
        path,
        ip: '127.0.0.1',
      }),
    );
    return new FileLoop({ events, clock: context.clock, admission, router: context.router });
  }

  stop(reason: string): void {
    clearInterval(this.#timer);
    this.#publication.end(reason);
    this.#admission.close(reason);
  }

  #sendDue(): void {
    const elapsed = (this.#clock.monotonic() - this.#startedAt) * 1000;
    for (;;) {
      const sample = this.#samples[this.#next];
      if (sample === undefined) {
        this.#next = 0;
        this.#round += 1;
        continue;
      }
      const offset = this.#round * this.#length;
      if (sample.dts + offset > elapsed) return;
      this.#next += 1;
      this.#bytes += sample.data.length;
      const moved = { ...sample, dts: micros(sample.dts + offset), pts: micros(sample.pts + offset) };
      this.#publication.write({ type: 'sample', sample: moved });
    }
  }
}

/** From the first sample to where the first one of the next round belongs. */
function lengthOf(samples: readonly Sample[]): Micros {
  let end = 0;
  for (const kind of ['video', 'audio'] as const) {
    const own = samples.filter((sample) => sample.kind === kind);
    const first = own[0]?.dts ?? 0;
    const last = own.at(-1)?.dts ?? 0;
    end = Math.max(end, last + (own.length > 1 ? (last - first) / (own.length - 1) : 0));
  }
  return micros(Math.max(1, Math.round(end)));
}
