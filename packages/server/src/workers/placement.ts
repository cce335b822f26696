import { createHash } from 'node:crypto';

/** Who a connection can be given to. */
interface Candidate {
  readonly id: number;
  readonly connections: number;
}

/** The candidate with the fewest connections; the first of several. */
export function leastBusy<T extends Candidate>(candidates: readonly T[]): T | undefined {
  return candidates.reduce<T | undefined>(
    (best, one) => (best === undefined || one.connections < best.connections ? one : best),
    undefined,
  );
}

/**
 * The candidate of an address: the same as long as it is there, and when one goes, only its own addresses move (highest
 * random weight).
 */
export function ofAddress<T extends Candidate>(candidates: readonly T[], address: string): T | undefined {
  let best: { readonly candidate: T; readonly weight: number } | undefined;
  for (const candidate of candidates) {
    const weight = createHash('md5').update(`${candidate.id} ${address}`).digest().readUInt32BE(0);
    if (best === undefined || weight > best.weight) best = { candidate, weight };
  }
  return best?.candidate;
}
