import { SrtError } from '../errors.js';

/**
 * Why a connection is refused, as it goes over the wire behind 1000. The first ones are libsrt's own; those from 1400 on
 * are for access control and follow HTTP's.
 */
export const REJECTION = {
  unknown: 0,
  system: 1,
  peer: 2,
  resource: 3,
  rogue: 4,
  backlog: 5,
  close: 7,
  version: 8,
  rendezvousCookie: 9,
  badSecret: 10,
  unsecure: 11,
  messageApi: 12,
  congestion: 13,
  filter: 14,
  group: 15,
  timeout: 16,
  badRequest: 1400,
  unauthorized: 1401,
  overload: 1402,
  forbidden: 1403,
  notFound: 1404,
  badMode: 1405,
  conflict: 1409,
  locked: 1423,
  internal: 1500,
  unavailable: 1503,
} as const;

export type RejectionCode = (typeof REJECTION)[keyof typeof REJECTION];

/** The name of a code, for people; the number where it has none. */
export function rejectionName(code: number): string {
  return Object.entries(REJECTION).find(([, value]) => value === code)?.[0] ?? String(code);
}

/** The other side said no. */
export class SrtRejected extends SrtError {
  readonly rejection: number;

  constructor(rejection: number) {
    super('rejected', `the peer refused: ${rejectionName(rejection)} (${rejection})`);
    this.rejection = rejection;
  }
}
