import { isIP } from 'node:net';
import { NetworkSet, plainAddress } from './network.js';

/** Tells who is behind a proxy. The header is believed only as far as the proxies that wrote it are listed. */
export class ForwardedAddress {
  readonly #trusted: () => readonly string[];
  #list: readonly string[] = [];
  #proxies = new NetworkSet([]);

  /** @param trusted addresses and CIDR blocks; asked each time, so that it can change */
  constructor(trusted: () => readonly string[]) {
    this.#trusted = trusted;
  }

  /**
   * Goes back from the peer, as long as it is a listed proxy, to the address that proxy got the request from.
   *
   * @param peer the socket's address
   * @param header `X-Forwarded-For`, nearest hop last
   */
  of(peer: string, header: string | undefined): string {
    const list = this.#trusted();
    if (list !== this.#list) {
      this.#list = list;
      this.#proxies = new NetworkSet(list);
    }
    let address = plainAddress(peer);
    if (header === undefined || this.#proxies.size === 0) return address;
    const hops = header.split(',').map((hop) => plainAddress(hop.trim()));
    while (this.#proxies.has(address)) {
      const hop = hops.pop();
      if (hop === undefined || isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  }
}
