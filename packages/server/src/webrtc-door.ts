import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { type Config, type LiveConfig, type Logger, messageOf, parseIceUrl } from '@sluice/core';
import { type AnnouncedAddress, WebRtcServer } from '@sluice/webrtc';
import { ownAddresses } from './network/own-addresses.js';

const WILDCARDS: ReadonlySet<string> = new Set(['::', '0.0.0.0']);
/** A router's address may change while the server runs. */
const DISCOVERY_MS = 300_000;

/** The WebRTC port, and the addresses under which others can reach it. What is played over it, its handlers say. */
export class WebRtcDoor {
  readonly server: WebRtcServer;
  readonly #live: LiveConfig;
  readonly #log: Logger;
  #seenAt: AnnouncedAddress | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(live: LiveConfig, log: Logger) {
    this.#live = live;
    this.#log = log;
    const announce = () => this.#announced();
    this.server = new WebRtcServer({ announce, tcp: live.current.webrtc.tcp, wallClock: () => new Date() });
  }

  /** @param port 0 takes a free one @returns the port */
  async listen(port: number, host: string): Promise<number> {
    const own = await this.server.listen(port, host);
    this.#timer = setInterval(() => void this.#discover(own), DISCOVERY_MS);
    this.#timer.unref();
    await this.#discover(own);
    return own;
  }

  async close(reason: string): Promise<void> {
    clearInterval(this.#timer);
    await this.server.close(reason);
  }

  /** Asks the STUN server of the configuration, where there is one, from where it sees the port. */
  async #discover(own: number): Promise<void> {
    const { stunServer } = this.#live.current.webrtc;
    this.#seenAt = undefined;
    if (stunServer === undefined) return;
    try {
      const url = parseIceUrl(stunServer);
      if (url === undefined) throw new Error('it is none');
      const { host, port } = url;
      const { address } = await lookup(host, { family: 4 });
      const seen = await this.server.discover({ address, port });
      if (seen === undefined) throw new Error('it does not answer');
      this.#seenAt = { address: seen.address, port: seen.port === own ? undefined : seen.port };
      this.#log.info({ address: seen.address, port: seen.port }, 'browsers are told this address of the STUN server');
    } catch (error) {
      const fix = 'set webrtc.announce to the public address, or webrtc.stunServer to one that answers';
      this.#log.warn({ stunServer, detail: messageOf(error), fix }, 'the STUN server could not be asked');
    }
  }

  #announced(): readonly AnnouncedAddress[] {
    const own = announcedAddresses(this.#live.current.webrtc).map((address): AnnouncedAddress => ({ address }));
    const seenAt = this.#seenAt;
    if (seenAt === undefined || own.some(({ address }) => address === seenAt.address)) return own;
    return [...own, seenAt];
  }
}

/** The addresses of the configuration, or those of this machine under which others can reach it. */
export function announcedAddresses({ announce, host }: Config['webrtc']): readonly string[] {
  if (announce.length > 0) return announce;
  if (!WILDCARDS.has(host)) return [host];
  const usable = ownAddresses().filter((address) => host === '::' || isIPv4(address));
  return usable.length > 0 ? usable : ['127.0.0.1'];
}
