import type { Remote } from '../session/ice-lite.js';

/** Takes a datagram. @returns whether whoever sent it is known by now */
export type Receive = (datagram: Buffer, from: Remote) => boolean;

/** How an IPv6 socket names addresses of IPv4. */
export const MAPPED_PREFIX = '::ffff:';
