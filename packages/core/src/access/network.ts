import { BlockList, isIP, isIPv4 } from 'node:net';

/** One address or a block of them: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** @returns undefined where the text is no address and no CIDR block */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefixText, ...rest] = text.trim().split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  const bits = version === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  return prefix > bits ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** A set of networks, IPv4 and IPv6. Texts that are none are left out: the configuration has refused them before. */
export class NetworkSet {
  readonly size: number;
  readonly #list = new BlockList();

  constructor(networks: readonly string[]) {
    const parsed = networks.map(parseNetwork).filter((network) => network !== undefined);
    for (const { address, prefix, family } of parsed) this.#list.addSubnet(address, prefix, family);
    this.size = parsed.length;
  }

  /** @param ip an address without a zone; what is no address is in no set */
  has(ip: string): boolean {
    if (this.size === 0) return false;
    const plain = plainAddress(ip);
    return isIP(plain) !== 0 && this.#list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
  }
}

/** RFC 1918, RFC 4193, link-local (RFC 3927, RFC 4291 §2.5.6) and loopback. */
const LOCAL_NETWORKS = new NetworkSet([
  '127.0.0.0/8',
  '::1/128',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
]);

const LOOPBACK = new NetworkSet(['127.0.0.0/8', '::1/128']);

/** Whether an address is of this machine or of a private network. */
export function isLocalAddress(ip: string): boolean {
  return LOCAL_NETWORKS.has(ip);
}

export function isLoopback(ip: string): boolean {
  return LOOPBACK.has(ip);
}

/** IPv4 without the IPv6 form that a dual-stack socket gives it, and without an interface's zone. */
export function plainAddress(ip: string): string {
  const zone = ip.indexOf('%');
  const address = zone < 0 ? ip : ip.slice(0, zone);
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

/** Whether it is an address in its plain form, and no block. IPv6 addresses have many spellings and count as blocks. */
export function isSingleAddress(text: string): boolean {
  return isIPv4(text);
}
