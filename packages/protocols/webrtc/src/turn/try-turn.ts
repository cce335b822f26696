import { randomBytes } from 'node:crypto';
import { WebRtcError } from '../errors.js';
import type { TransportAddress } from '../wire/stun.js';
import { TurnAllocation, type TurnEvent } from './allocation.js';
import type { TurnCredentials } from './credentials.js';
import { type Line, openLine, type ServerAddress } from './line.js';

/** Whether a TURN server relays for us, and to whom. */
export type TurnTrial =
  | {
      readonly kind: 'works';
      readonly relayed: TransportAddress;
      readonly mapped: TransportAddress | undefined;
      readonly isGuarded: boolean;
      readonly peers: readonly TurnPeer[];
    }
  | { readonly kind: 'refused'; readonly code: number; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly detail: string };

/** Whether it relays to this address; where not, what it said. */
export interface TurnPeer {
  readonly address: string;
  readonly refusal: string | undefined;
}

const TICK_MS = 50;
/** A permission is for an address; its port is not looked at, RFC 8656 §9. */
const ANY_PORT = 9;

/**
 * Allocates a relay at a TURN server, asks whether it relays to some addresses, and gives it back.
 *
 * @param options.peers IPv4 addresses
 * @param options.timeoutMs for the connection, and for each request
 */
export async function tryTurnServer(options: {
  readonly server: ServerAddress;
  readonly credentials: TurnCredentials;
  readonly peers: readonly string[];
  readonly timeoutMs: number;
}): Promise<TurnTrial> {
  const { server, credentials, peers, timeoutMs } = options;
  const events = new Queue<TurnEvent>();
  const allocation = new TurnAllocation({
    credentials,
    isStream: server.transport === 'tcp',
    random: randomBytes,
    timeoutMs,
    output: { bytes: (bytes) => line?.send(bytes), event: (event) => events.push(event) },
  });
  let line: Line | undefined;
  try {
    line = await openLine(
      server,
      {
        bytes: (bytes) => allocation.receive(bytes, performance.now()),
        failed: (detail) => allocation.lost(detail),
      },
      timeoutMs,
    );
  } catch (error) {
    if (error instanceof WebRtcError) return { kind: 'unreachable', detail: error.message };
    throw error;
  }
  const timer = setInterval(() => allocation.tick(performance.now()), TICK_MS);
  try {
    return await run(allocation, events, peers);
  } finally {
    clearInterval(timer);
    line.close();
  }
}

async function run(allocation: TurnAllocation, events: Queue<TurnEvent>, peers: readonly string[]): Promise<TurnTrial> {
  allocation.allocate(performance.now());
  const first = await events.next();
  if (first.kind === 'refused') return { kind: 'refused', code: first.code, reason: first.reason };
  if (first.kind === 'failed') return { kind: 'unreachable', detail: first.detail };
  if (first.kind !== 'allocated') throw new Error(`an allocation that begins with ${first.kind}`);
  const tried: TurnPeer[] = [];
  for (const address of peers) {
    allocation.permit({ address, port: ANY_PORT }, performance.now());
    tried.push({ address, refusal: refusalOf(await events.next()) });
  }
  allocation.release(performance.now());
  // Whether it is released or not: it ends by itself, and what was asked is known.
  await events.next();
  const { relayed, mapped, isGuarded } = first;
  return { kind: 'works', relayed, mapped, isGuarded, peers: tried };
}

function refusalOf(event: TurnEvent): string | undefined {
  if (event.kind === 'refused') return `${event.code} ${event.reason}`.trim();
  return event.kind === 'failed' ? event.detail : undefined;
}

/** What came, for who waits for it. */
class Queue<T> {
  readonly #items: T[] = [];
  #waiting: ((item: T) => void) | undefined;

  push(item: T): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
