import type { OpenSession, Session } from '@sluice/core';

/** From how many places one account may be watched. */
export interface PlaceLimits {
  readonly addresses: number;
  readonly userAgents: number;
}

/** An account that is over a limit: what was counted, and the sessions from the places that are too many. */
export interface Excess extends PlaceLimits {
  readonly sessions: readonly Session[];
}

/** When something was seen first and last: wall clock, ms. */
interface Span {
  readonly first: number;
  last: number;
}

interface Sighting {
  readonly session: Session;
  readonly span: Span;
  readonly addresses: Map<string, Span>;
}

/** Where one account has been watched from of late, session by session. */
export class SharedAccount {
  readonly #sightings = new Map<string, Sighting>();

  get isEmpty(): boolean {
    return this.#sightings.size === 0;
  }

  /**
   * Notes a session that is open now. One that has had several addresses is taken to be at the latest of them: a phone
   * that moves from network to network doesn't grow old with all of them.
   */
  see({ session, addresses }: Pick<OpenSession, 'session' | 'addresses'>, now: number): void {
    const known = this.#sightings.get(session.id);
    const sighting = known ?? sightingOf(session);
    this.#sightings.set(session.id, sighting);
    sighting.span.last = now;
    for (const address of addresses) {
      if (!sighting.addresses.has(address)) sighting.addresses.set(address, { first: now, last: now });
    }
    const latest = [...sighting.addresses.values()].at(-1);
    if (latest !== undefined) latest.last = now;
  }

  /** Forgets a session, and with it the places that only it had. */
  drop(id: string): void {
    this.#sightings.delete(id);
  }

  /** Forgets the sessions that were seen last before a time. */
  forget(since: number): void {
    for (const [id, { span }] of this.#sightings) if (span.last < since) this.#sightings.delete(id);
  }

  /**
   * What is over the limits since a time. The places that came first count as the account's own, or those that came
   * last, as `tooMany` says of the others.
   */
  excess(limits: PlaceLimits, since: number, tooMany: 'newest' | 'oldest'): Excess | undefined {
    const recent = [...this.#sightings.values()].filter(({ span }) => span.last >= since);
    const addressesOf = ({ addresses }: Sighting) => [...addresses].filter(([, { last }]) => last >= since);
    const userAgentsOf = ({ session, span }: Sighting): [string, Span][] =>
      session.userAgent === undefined ? [] : [[session.userAgent, span]];
    const addresses = placesInOrder(recent.flatMap(addressesOf));
    const userAgents = placesInOrder(recent.flatMap(userAgentsOf));
    if (addresses.length <= limits.addresses && userAgents.length <= limits.userAgents) return undefined;
    const others = (places: string[], limit: number) =>
      new Set(tooMany === 'newest' ? places.slice(limit) : places.slice(0, Math.max(0, places.length - limit)));
    const badAddresses = others(addresses, limits.addresses);
    const badUserAgents = others(userAgents, limits.userAgents);
    const sessions = recent
      .filter(
        (sighting) =>
          addressesOf(sighting).some(([address]) => badAddresses.has(address)) ||
          userAgentsOf(sighting).some(([userAgent]) => badUserAgents.has(userAgent)),
      )
      .map(({ session }) => session);
    return { addresses: addresses.length, userAgents: userAgents.length, sessions };
  }
}

function sightingOf(session: Session): Sighting {
  const { openedAt, ip } = session;
  const at = { first: openedAt, last: openedAt };
  return { session, span: { ...at }, addresses: new Map([[ip, at]]) };
}

/** Each place once, by when it was first seen. */
function placesInOrder(seen: readonly (readonly [string, Span])[]): string[] {
  const first = new Map<string, number>();
  for (const [place, span] of seen) first.set(place, Math.min(span.first, first.get(place) ?? span.first));
  return [...first].sort(([, a], [, b]) => a - b).map(([place]) => place);
}
