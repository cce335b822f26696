import { NetworkSet } from '../network.js';
import type { Identity } from '../session.js';

/** Whether a credential holds from an address: it may be bound to one, or to a block of them. */
export function networkAllows({ network }: Identity, ip: string): boolean {
  return network === undefined || new NetworkSet([network]).has(ip);
}
