import { randomBytes } from 'node:crypto';
import { type DtlsCertificate, makeCertificate } from '../certificate.js';
import { DtlsEndpoint, type DtlsKeys } from '../endpoint.js';

export type Side = 'client' | 'server';

export function newCertificate(): DtlsCertificate {
  return makeCertificate({
    commonName: 'sluice',
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2056-01-01'),
    serial: randomBytes(16),
  });
}

export const CERTIFICATES: Readonly<Record<Side, DtlsCertificate>> = {
  client: newCertificate(),
  server: newCertificate(),
};

/** Numbers that look like chance and are the same in each run. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface LineOptions {
  /** 0 to 1; what isn't lost is reordered, too. */
  readonly loss?: number;
  readonly seed?: number;
  readonly delayMs?: number;
  /** Where a side shows another certificate than its own. */
  readonly shown?: Partial<Record<Side, DtlsCertificate>>;
  /** What a side takes the other's fingerprint for. */
  readonly expected?: Partial<Record<Side, { algorithm: string; value: string }>>;
  /** What becomes of a datagram on its way; an empty list loses it. */
  readonly change?: (datagram: Buffer, from: Side, count: number) => Buffer | readonly Buffer[];
}

const STEP_MS = 5;

/** Two ends and a line between them that loses, reorders and tampers, on a virtual clock. */
export class VirtualLine {
  readonly keys: Partial<Record<Side, DtlsKeys>> = {};
  readonly closed: Partial<Record<Side, string>> = {};
  /** How often each side was connected or closed; more than once is a fault. */
  readonly calls = { connected: 0, closed: 0 };
  readonly sent: { readonly from: Side; readonly at: number; readonly datagram: Buffer }[] = [];
  readonly ends: Readonly<Record<Side, DtlsEndpoint>>;
  now = 0;
  readonly #options: LineOptions;
  readonly #random: () => number;
  #underWay: { readonly at: number; readonly to: Side; readonly datagram: Buffer }[] = [];

  constructor(options: LineOptions = {}) {
    this.#options = options;
    this.#random = chance(options.seed ?? 1);
    this.ends = { client: this.#end('client'), server: this.#end('server') };
    this.ends.client.start(0);
  }

  /** Until both are connected, or both are closed, or 30 s are over. */
  handshake(): this {
    const { keys, closed } = this;
    return this.run(30_000, () => Boolean((keys.client && keys.server) || (closed.client && closed.server)));
  }

  run(milliseconds: number, isOver: () => boolean = () => false): this {
    for (const end = this.now + milliseconds; this.now < end && !isOver(); this.now += STEP_MS) {
      const due = this.#underWay.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
      this.#underWay = this.#underWay.filter(({ at }) => at > this.now);
      for (const { to, datagram } of due) this.ends[to].receive(datagram, this.now);
      this.ends.client.tick(this.now);
      this.ends.server.tick(this.now);
    }
    return this;
  }

  #end(role: Side): DtlsEndpoint {
    const other = role === 'client' ? 'server' : 'client';
    const { shown, expected } = this.#options;
    return new DtlsEndpoint({
      role,
      certificate: shown?.[role] ?? CERTIFICATES[role],
      remoteFingerprint: expected?.[role] ?? { algorithm: 'sha-256', value: CERTIFICATES[other].fingerprint },
      random: randomBytes,
      send: (datagram) => this.#send(role, other, datagram),
      connected: (keys) => {
        this.calls.connected += 1;
        this.keys[role] = keys;
      },
      closed: (reason) => {
        this.calls.closed += 1;
        this.closed[role] = reason;
      },
    });
  }

  #send(from: Side, to: Side, datagram: Buffer): void {
    const { loss = 0, delayMs = 20, change } = this.#options;
    this.sent.push({ from, at: this.now, datagram });
    if (this.#random() < loss) return;
    const changed = change?.(Buffer.from(datagram), from, this.sent.length - 1) ?? datagram;
    for (const piece of Buffer.isBuffer(changed) ? [changed] : changed) {
      this.#underWay.push({ at: this.now + delayMs + this.#random() * 30 * loss, to, datagram: piece });
    }
  }
}
