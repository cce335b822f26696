import { resolveConfig } from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { FIREWALL_WRITERS, type FirewallFormat } from '../firewall/formats.js';
import { firewallRules } from '../firewall/rules.js';
import { ownAddresses } from '../network/own-addresses.js';
import { announcedAddresses } from '../webrtc-door.js';
import { parsePort } from './port-option.js';

/** `sluice firewall`: prints rules that let in what the configuration opens, and nothing else. Changes nothing. */
export function firewall(options: { config?: string; format: FirewallFormat; sshPort: string }): void {
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const sshPort = parsePort('--ssh-port', options.sshPort);
  const addresses = [...announcedAddresses(config.webrtc), ...ownAddresses()];
  process.stdout.write(FIREWALL_WRITERS[options.format](firewallRules({ config, sshPort, addresses })));
}
