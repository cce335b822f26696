import { getServers } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { environmentName, isLoopback, parseNetwork, resolveConfig } from '@sluice/core';
import { readConfigFile } from '../../config-file.js';
import { egressNames, writeEgress } from '../../firewall/egress.js';
import { StartError } from '../../start-error.js';

export interface BbbFirewallOptions {
  readonly config?: string;
  readonly user?: string;
  readonly media?: readonly string[];
  readonly dns?: readonly string[];
}

/**
 * `sluice bbb firewall`: prints rules that let captures reach what the configuration names, and nothing else. Looks names
 * up, changes nothing; names that have no address are told of on standard error.
 *
 * @throws {StartError} where the configuration names no BigBlueButton, or an option can't be used
 */
export async function bbbFirewall({ config: file, user, media = [], dns }: BbbFirewallOptions): Promise<void> {
  const { config } = resolveConfig(readConfigFile(file, process.env));
  if (config.bbb.url === undefined && config.bbb.joinOrigins.length === 0) {
    throw new StartError(`bbb.url (${environmentName('bbb.url')}) is not set: there is nothing to let be reached`);
  }
  if (user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$|^\d{1,10}$/i.test(user)) {
    throw new StartError(`--user ${user} is no user's name or number`);
  }
  for (const network of media) {
    if (parseNetwork(network) === undefined) throw new StartError(`--media ${network} is no address and no CIDR block`);
  }
  for (const address of dns ?? []) {
    if (isIP(address) === 0) throw new StartError(`--dns ${address} is no address`);
  }
  const addresses = new Map<string, readonly string[]>();
  for (const name of egressNames(config)) {
    const found = await addressesOf(name);
    if (found.length === 0) process.stderr.write(`sluice: ${name} has no address now; it is left out.\n`);
    addresses.set(name, found);
  }
  const servers = (dns ?? getServers().map(withoutPort)).filter((address) => isIP(address) !== 0);
  const options = { config, addresses, dns: servers.filter((address) => !isLoopback(address)), media, user };
  process.stdout.write(writeEgress(options));
}

async function addressesOf(name: string): Promise<string[]> {
  if (isIP(name) !== 0) return [name];
  try {
    return [...new Set((await lookup(name, { all: true })).map(({ address }) => address))].sort();
  } catch (error) {
    // Said by who asked; a name that has no address now may have one when the rules are made again.
    if ((error as NodeJS.ErrnoException).syscall === 'getaddrinfo') return [];
    throw error;
  }
}

/** Without the port (`[::1]:5353`) and the interface (`fe80::1%eth0`) that it may be told with. */
function withoutPort(server: string): string {
  const address = isIP(server) === 0 ? server.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') : server;
  return address.replace(/%.*$/, '');
}
