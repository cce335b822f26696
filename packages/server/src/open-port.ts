import type { AddressInfo } from 'node:net';
import { environmentName } from '@sluice/core';
import { StartError } from './start-error.js';

/**
 * Opens a listener, and explains to the operator why it can't be.
 *
 * @param section of the configuration: `rtmp`
 * @param portKey the port's name in that section
 * @returns the port that it got
 * @throws {StartError}
 */
export async function openPort(
  section: string,
  { host, port }: { readonly host: string; readonly port: number },
  listen: (port: number, host: string) => Promise<Pick<AddressInfo, 'port'>>,
  portKey = 'port',
): Promise<number> {
  try {
    return (await listen(port, host)).port;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const key = `${section}.${portKey}`;
    const variable = environmentName(key);
    if (code === 'EADDRINUSE') {
      throw new StartError(`${key} ${port} is taken by another program. End it, or set another port: ${variable}=…`);
    }
    if (code === 'EACCES') {
      throw new StartError(`${key} ${port} is not allowed for this user. Set one above 1023: ${variable}=…`);
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAFNOSUPPORT') {
      const hostKey = `${section}.host`;
      throw new StartError(
        `${hostKey} ${host} is no address of this machine. Set another: ${environmentName(hostKey)}=…`,
      );
    }
    throw new StartError(`${key} ${port} on ${host} can't be opened: ${message}`);
  }
}
