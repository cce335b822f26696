import { networkInterfaces } from 'node:os';

/** This machine's addresses under which others can reach it: none of loopback, none that hold on one link only. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, address }) => !internal && !(family === 'IPv6' && address.startsWith('fe80')))
    .map(({ address }) => address);
}
