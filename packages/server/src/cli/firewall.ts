import { resolveConfig } from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { writeIptables } from '../firewall/iptables.js';
import { writeNft } from '../firewall/nft.js';
import { firewallRules, type Ruleset } from '../firewall/rules.js';
import { writeUfw } from '../firewall/ufw.js';
import { ownAddresses } from '../network/own-addresses.js';
import { announcedAddresses } from '../webrtc-door.js';
import { parsePort } from './port-option.js';

const WRITERS = { nft: writeNft, iptables: writeIptables, ufw: writeUfw } as const satisfies Record<
  string,
  (rules: Ruleset) => string
>;

export type FirewallFormat = keyof typeof WRITERS;
export const FIREWALL_FORMATS = Object.keys(WRITERS);

/** `sluice firewall`: prints rules that let in what the configuration opens, and nothing else. Changes nothing. */
export function firewall(options: { config?: string; format: FirewallFormat; sshPort: string }): void {
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const sshPort = parsePort('--ssh-port', options.sshPort);
  const addresses = [...announcedAddresses(config.webrtc), ...ownAddresses()];
  process.stdout.write(WRITERS[options.format](firewallRules({ config, sshPort, addresses })));
}
