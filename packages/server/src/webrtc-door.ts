import { networkInterfaces } from 'node:os';
import type { Config, LiveConfig } from '@sluice/core';
import { WebRtcServer } from '@sluice/webrtc';

const WILDCARDS: ReadonlySet<string> = new Set(['::', '0.0.0.0']);

/** The WebRTC port; what is played over it, its handlers say. */
export function makeWebRtcServer(live: LiveConfig): WebRtcServer {
  return new WebRtcServer({ announce: () => announced(live.current.webrtc), wallClock: () => new Date() });
}

/** The addresses of the configuration, or those of this machine under which others can reach it. */
function announced({ announce, host }: Config['webrtc']): readonly string[] {
  if (announce.length > 0) return announce;
  if (!WILDCARDS.has(host)) return [host];
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const isUsable = ({ internal, family, address }: (typeof own)[number]) =>
    !internal && !(family === 'IPv6' && address.startsWith('fe80')) && (host === '::' || family === 'IPv4');
  const usable = own.filter(isUsable).map(({ address }) => address);
  return usable.length > 0 ? usable : ['127.0.0.1'];
}
