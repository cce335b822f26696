import { writeIptables } from './iptables.js';
import { writeNft } from './nft.js';
import type { Ruleset } from './rules.js';
import { writeUfw } from './ufw.js';

/** How rules are written, by the firewall that they are for. */
export const FIREWALL_WRITERS = { nft: writeNft, iptables: writeIptables, ufw: writeUfw } as const satisfies Record<
  string,
  (rules: Ruleset) => string
>;

export type FirewallFormat = keyof typeof FIREWALL_WRITERS;
export const FIREWALL_FORMATS = Object.keys(FIREWALL_WRITERS);
