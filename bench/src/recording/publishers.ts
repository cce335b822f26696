import { setTimeout as sleep } from 'node:timers/promises';
import { FLV_AUDIO, FLV_VIDEO, type FlvTag } from '@sluice/media';
import { RtmpClient } from '@sluice/rtmp';
import { isHeader, roundMs } from '../source-clip.js';

/** Access units that a publisher has sent. */
export interface SentCount {
  video: number;
  audio: number;
}

interface Publisher {
  readonly client: RtmpClient;
  readonly sent: SentCount;
  /** When its first tag was due. */
  readonly begun: number;
  next: number;
  /** The clip's beginning in this round, in ms. */
  base: number;
}

/** Publishers begin one after the other within so long: no keyframe comes with all the others. */
const SPREAD_MS = 2000;
const STEP_MS = 2;
/** AVCPacketType; a clip also has one that says that it is over. */
const AVC_PICTURE = 1;

/** Many streams of one clip, in real time, round after round. */
export class Publishers {
  readonly #clip: readonly FlvTag[];
  readonly #round: number;
  readonly #publishers: readonly Publisher[];
  readonly #abort = new AbortController();
  readonly #feeding: Promise<void>;
  readonly #failures: string[];
  #bytes = 0;
  #latest = 0;

  private constructor(clip: readonly FlvTag[], clients: readonly RtmpClient[], failures: string[]) {
    this.#clip = clip;
    this.#round = roundMs(clip);
    this.#failures = failures;
    const now = performance.now();
    this.#publishers = clients.map((client, at) => ({
      client,
      sent: { video: 0, audio: 0 },
      begun: now + (at * SPREAD_MS) / clients.length,
      next: 0,
      base: 0,
    }));
    this.#feeding = this.#feed();
  }

  /** @param url before a stream's path */
  static async start(url: string, clip: readonly FlvTag[], count: number): Promise<Publishers> {
    const clients: RtmpClient[] = [];
    const failures: string[] = [];
    for (let at = 0; at < count; at++) {
      const client = await RtmpClient.connect(`${url}/${streamOf(at)}`, {
        onClose: (error) => {
          if (error !== undefined) failures.push(`${streamOf(at)}: ${error.message}`);
        },
      });
      await client.publish();
      clients.push(client);
    }
    return new Publishers(clip, clients, failures);
  }

  /** What each has sent so far. */
  get sent(): readonly SentCount[] {
    return this.#publishers.map(({ sent }) => sent);
  }

  /** Of media, by all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Connections that ended by themselves. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** By how many ms the latest tag was late. */
  get latest(): number {
    return this.#latest;
  }

  /** Resolves when the server has taken all that was sent. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#feeding;
    await Promise.all(this.#publishers.map(({ client }) => client.close()));
  }

  async #feed(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      for (const publisher of this.#publishers) this.#sendDue(publisher, performance.now());
      await sleep(STEP_MS);
    }
  }

  #sendDue(publisher: Publisher, now: number): void {
    for (;;) {
      const tag = this.#clip[publisher.next];
      if (tag === undefined) {
        publisher.next = 0;
        publisher.base += this.#round;
        continue;
      }
      const timestamp = publisher.base + tag.timestamp;
      const late = now - publisher.begun - timestamp;
      if (late < 0) return;
      this.#latest = Math.max(this.#latest, late);
      publisher.next += 1;
      if (publisher.base === 0 || !isHeader(tag)) this.#send(publisher, tag, timestamp);
    }
  }

  #send({ client, sent }: Publisher, tag: FlvTag, timestamp: number): void {
    client.send({ type: tag.type, timestamp, payload: tag.body });
    this.#bytes += tag.body.length;
    if (tag.type === FLV_VIDEO && tag.body[1] === AVC_PICTURE) sent.video += 1;
    else if (tag.type === FLV_AUDIO && !isHeader(tag)) sent.audio += 1;
  }
}

/** A publisher's stream. */
export function streamOf(publisher: number): string {
  return `live/bench-${publisher}`;
}
