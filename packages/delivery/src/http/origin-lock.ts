import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { NetworkSet } from '@sluice/core';

/** Who may ask this server over HTTP, where others (a CDN) stand between it and its viewers. */
export interface OriginRules {
  /** Addresses and CIDR blocks; empty: all. */
  readonly allow: readonly string[];
  readonly secretHeader: string;
  /** One of them has to be in that header; empty: none is asked for. */
  readonly secrets: readonly string[];
}

/** Lets those in who stand in front of this server, and nobody else. */
export class OriginLock {
  readonly #rules: () => OriginRules;
  #known: OriginRules | undefined;
  #networks = new NetworkSet([]);
  #digests: readonly Buffer[] = [];

  /** @param rules asked each time, so that they can change */
  constructor(rules: () => OriginRules) {
    this.#rules = rules;
  }

  /**
   * Why a request is not answered; undefined where it is. It says nothing of the secret.
   *
   * @param address of the socket's peer: what a header says of viewers doesn't matter here
   */
  faultOf(address: string, headers: IncomingHttpHeaders): string | undefined {
    const { allow, secretHeader, secrets } = this.#follow();
    if (allow.length > 0 && !this.#networks.has(address)) return `${address} is not in http.origin.allow`;
    if (secrets.length === 0) return undefined;
    const shown = headers[secretHeader.toLowerCase()];
    if (typeof shown !== 'string') return `it has no ${secretHeader}`;
    const digest = digestOf(shown);
    // All of them are compared, so that the time tells nothing.
    const fitting = this.#digests.filter((expected) => timingSafeEqual(expected, digest));
    return fitting.length > 0 ? undefined : `its ${secretHeader} is wrong`;
  }

  #follow(): OriginRules {
    const rules = this.#rules();
    if (rules !== this.#known) {
      this.#known = rules;
      this.#networks = new NetworkSet(rules.allow);
      this.#digests = rules.secrets.map(digestOf);
    }
    return rules;
  }
}

/** Of one length, whatever is shown. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
