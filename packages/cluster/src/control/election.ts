import type { KV, Kvm } from '@nats-io/kv';
import { type Logger, messageOf } from '@sluice/core';

/** Where buckets are made, and opened. */
export type Buckets = Pick<Kvm, 'create'>;

export interface ElectionOptions {
  readonly bucket: string;
  /** Who stands for it. */
  readonly node: string;
  readonly leaseMs: number;
  /** The nodes that are there, this one among them, for as long as JetStream can't be asked. */
  readonly present: () => readonly string[];
  readonly log: Logger;
}

const KEY = 'elected';
/** A lease is renewed so often within its time. */
const RENEWALS = 3;

/**
 * One node does what is to be done once: who holds a key of a bucket, whose entries live no longer than a lease. While
 * JetStream can't be asked it is the one with the smallest id of those that are there; alone, it is this one.
 */
export class Election {
  readonly #options: ElectionOptions;
  #bucket: KV | undefined;
  #revision: number | undefined;
  /** What JetStream has said; undefined while it can't be asked. */
  #outcome: boolean | undefined;
  #timer: NodeJS.Timeout | undefined;
  #trying: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  get isElected(): boolean {
    const { node, present } = this.#options;
    return this.#outcome ?? present().every((other) => node <= other);
  }

  /** @throws where JetStream can't be used */
  async begin(buckets: Buckets, replicas: number): Promise<void> {
    this.pause();
    const { bucket, leaseMs } = this.#options;
    this.#bucket = await buckets.create(bucket, { history: 1, ttl: leaseMs, replicas });
    await this.#try();
    clearInterval(this.#timer);
    if (this.#isOver) return;
    this.#timer = setInterval(() => {
      this.#trying = this.#try();
    }, leaseMs / RENEWALS);
  }

  /** NATS is gone. Another node may be elected when the lease has run out. */
  pause(): void {
    clearInterval(this.#timer);
    this.#bucket = undefined;
    this.#outcome = undefined;
    this.#revision = undefined;
  }

  /** Lets go of it, so that another node is elected at once. */
  async close(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    await this.#trying;
    if (this.#revision !== undefined) await this.#bucket?.delete(KEY).catch(() => undefined);
    this.pause();
  }

  /** Renews the lease, or takes it where nobody has it. Never rejects. */
  async #try(): Promise<void> {
    const bucket = this.#bucket;
    if (bucket === undefined) return;
    const { node, log } = this.#options;
    const before = this.#outcome;
    try {
      const revision = await this.#claim(bucket);
      if (bucket !== this.#bucket) return;
      this.#revision = revision;
      this.#outcome = revision !== undefined;
    } catch (error) {
      if (bucket !== this.#bucket) return;
      this.#revision = undefined;
      this.#outcome = undefined;
      log.warn({ detail: messageOf(error) }, 'JetStream can’t say which node is elected');
    }
    if (this.#outcome && !before) log.info({ node }, 'this node is elected to do what one node does for all');
    if (before && !this.#outcome) log.info({ node }, 'another node is elected');
  }

  async #claim(bucket: KV): Promise<number | undefined> {
    const { node } = this.#options;
    const own = this.#revision;
    // A replica may not know yet what was written last: who has the lease renews it without asking.
    if (own !== undefined) {
      const renewed = await unlessTaken(bucket.update(KEY, node, own));
      if (renewed !== undefined) return renewed;
    }
    const held = await bucket.get(KEY);
    if (held === null || held.operation !== 'PUT') return unlessTaken(bucket.create(KEY, node));
    return held.string() === node ? unlessTaken(bucket.update(KEY, node, held.revision)) : undefined;
  }
}

/** @returns undefined where another one was faster; any other failure is no answer, and is thrown on */
async function unlessTaken(written: Promise<number>): Promise<number | undefined> {
  try {
    return await written;
  } catch (error) {
    if (/wrong last sequence/i.test(messageOf(error))) return undefined;
    throw error;
  }
}
