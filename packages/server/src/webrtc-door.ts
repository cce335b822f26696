import { isIPv4 } from 'node:net';
import type { Config, LiveConfig } from '@sluice/core';
import { WebRtcServer } from '@sluice/webrtc';
import { ownAddresses } from './network/own-addresses.js';

const WILDCARDS: ReadonlySet<string> = new Set(['::', '0.0.0.0']);

/** The WebRTC port; what is played over it, its handlers say. */
export function makeWebRtcServer(live: LiveConfig): WebRtcServer {
  return new WebRtcServer({ announce: () => announcedAddresses(live.current.webrtc), wallClock: () => new Date() });
}

/** The addresses of the configuration, or those of this machine under which others can reach it. */
export function announcedAddresses({ announce, host }: Config['webrtc']): readonly string[] {
  if (announce.length > 0) return announce;
  if (!WILDCARDS.has(host)) return [host];
  const usable = ownAddresses().filter((address) => host === '::' || isIPv4(address));
  return usable.length > 0 ? usable : ['127.0.0.1'];
}
