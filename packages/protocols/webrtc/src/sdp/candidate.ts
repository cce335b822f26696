import { isIPv6 } from 'node:net';

/** An address under which the server can be reached. */
export interface HostCandidate {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

/** RFC 8445 §5.1.2.1: host candidates; of a lite agent, they say no more than their order. */
const HOST_TYPE = 126;
/** By TCP only where UDP doesn't go through. */
const TCP_TYPE = HOST_TYPE - 36;

/** RFC 8839 §5.1, RFC 6544 §4.5. @param at its place among the others */
export function candidateLine({ protocol, address, port }: HostCandidate, at: number): string {
  const preference = 65_535 - at - (isIPv6(address) ? 0 : 1);
  const priority = (protocol === 'udp' ? HOST_TYPE : TCP_TYPE) * 2 ** 24 + preference * 2 ** 8 + 255;
  const passive = protocol === 'tcp' ? ' tcptype passive' : '';
  return `a=candidate:${at + 1} 1 ${protocol} ${priority} ${address} ${port} typ host${passive}`;
}
