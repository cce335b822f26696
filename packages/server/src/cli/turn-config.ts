import { resolveConfig } from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { ownAddresses } from '../network/own-addresses.js';
import { turnServerConfig } from '../turn-config.js';
import { announcedAddresses } from '../webrtc-door.js';

/** `sluice turn-config`: prints a turnserver.conf for coturn; what is missing goes to standard error. */
export function turnConfig(options: { config?: string }): void {
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const around = { announced: announcedAddresses(config.webrtc), own: ownAddresses() };
  const { text, notes } = turnServerConfig(config, around);
  for (const note of notes) process.stderr.write(`sluice: ${note}\n`);
  process.stdout.write(text);
}
