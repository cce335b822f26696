import { FLV_VIDEO, type FlvTag } from '@sluice/media';
import { RtmpClient } from '@sluice/rtmp';
import { monotonicMs } from './clock.js';
import { type Shared, stampSent } from './load/shared.js';
import { isAccessUnit, markAccessUnit } from './sei-mark.js';
import { isHeader, roundMs } from './source-clip.js';

/** A stream that is being published, over and over. */
export interface Publishing {
  /** The last sequence number sent; they begin at 1. */
  readonly lastSequence: number;
  /** By how much the latest tag went out after its time, at worst since the last look. */
  takeLateness(): number;
  /** Why the publish ended by itself, if it did. */
  readonly failure: string | undefined;
  close(): Promise<void>;
}

/** Publishes the clip at its own pace, again and again, each access unit marked and its time noted. */
export async function publish(url: string, clip: readonly FlvTag[], shared: Shared): Promise<Publishing> {
  let failure: string | undefined;
  let closing = false;
  const client = await RtmpClient.connect(url, {
    onClose: (error) => {
      if (!closing) failure = error?.message ?? 'the server closed the connection';
    },
  });
  await client.publish();
  const begun = monotonicMs();
  const round = roundMs(clip);
  let index = 0;
  let base = 0;
  let sequence = 0;
  let lateness = 0;
  let timer = setTimeout(sendDue, 0);

  function sendDue(): void {
    if (failure !== undefined) return;
    for (;;) {
      const tag = clip[index];
      if (tag === undefined) {
        index = 0;
        base += round;
        continue;
      }
      const timestamp = base + tag.timestamp;
      const wait = begun + timestamp - monotonicMs();
      if (wait > 0) {
        timer = setTimeout(sendDue, wait);
        return;
      }
      lateness = Math.max(lateness, -wait);
      index++;
      if (base === 0 || !isHeader(tag)) send(tag, timestamp);
    }
  }

  function send({ type, body }: FlvTag, timestamp: number): void {
    if (type !== FLV_VIDEO || !isAccessUnit(body)) {
      client.send({ type, timestamp, payload: body });
      return;
    }
    sequence++;
    const payload = markAccessUnit(body, sequence);
    stampSent(shared, sequence);
    client.send({ type, timestamp, payload });
  }

  return {
    get lastSequence() {
      return sequence;
    },
    get failure() {
      return failure;
    },
    takeLateness() {
      const worst = lateness;
      lateness = 0;
      return worst;
    },
    async close() {
      closing = true;
      clearTimeout(timer);
      await client.close();
    },
  };
}
