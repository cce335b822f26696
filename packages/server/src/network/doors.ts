import { type Config, isLoopback } from '@sluice/core';
import { webRtcPortOf, workersOf } from '../workers/worker-count.js';

/** A port on which the server listens, by its configuration. */
export interface Door {
  /** For people: `RTMP`. */
  readonly name: string;
  /** The setting that holds the port: `rtmp.port`. */
  readonly key: string;
  readonly protocol: 'tcp' | 'udp';
  /** 0 takes a free one at each start. */
  readonly port: number;
  readonly host: string;
  /** Who comes by it. */
  readonly users: 'publishers' | 'viewers' | 'both' | 'operators';
}

/** All ports that the configuration opens. */
export function doorsOf(config: Config): Door[] {
  const { rtmp, rtmps, http, https, srt, webrtc, api, tls } = config;
  const hasTls = tls.certFile !== undefined;
  const tcp = { protocol: 'tcp' } as const;
  const udp = { protocol: 'udp' } as const;
  const doors: Door[] = [{ name: 'RTMP', key: 'rtmp.port', ...tcp, ...at(rtmp), users: 'both' }];
  if (hasTls) doors.push({ name: 'RTMPS', key: 'rtmps.port', ...tcp, ...at(rtmps), users: 'both' });
  doors.push({ name: 'HTTP', key: 'http.port', ...tcp, ...at(http), users: 'both' });
  if (hasTls) doors.push({ name: 'HTTPS', key: 'https.port', ...tcp, ...at(https), users: 'both' });
  if (srt.enabled) doors.push({ name: 'SRT', key: 'srt.port', ...udp, ...at(srt), users: 'both' });
  if (webrtc.enabled) {
    doors.push({ name: 'WebRTC', key: 'webrtc.port', ...udp, ...at(webrtc), users: 'both' });
    doors.push({ name: 'WebRTC over TCP', key: 'webrtc.port', ...tcp, ...at(webrtc), users: 'both' });
    const workers = webrtc.port === 0 ? 0 : workersOf(config);
    for (let worker = 1; worker <= workers; worker++) {
      const own = {
        key: 'webrtc.port',
        port: webRtcPortOf(config, worker),
        host: webrtc.host,
        users: 'viewers',
      } as const;
      doors.push({ name: `WebRTC of worker ${worker}`, ...udp, ...own });
      doors.push({ name: `WebRTC over TCP of worker ${worker}`, ...tcp, ...own });
    }
  }
  if (api.enabled) {
    doors.push({ name: 'control API', key: 'api.port', ...tcp, ...at(api), users: 'operators' });
    const tlsDoor = { port: api.tlsPort, host: api.host };
    if (hasTls)
      doors.push({ name: 'control API over TLS', key: 'api.tlsPort', ...tcp, ...tlsDoor, users: 'operators' });
  }
  return doors;
}

/** Whether only this machine can reach it. */
export function isOnLoopback({ host }: Pick<Door, 'host'>): boolean {
  return host === 'localhost' || isLoopback(host);
}

/** Whether it takes connections at every address of this machine. */
export function isOnAllAddresses({ host }: Pick<Door, 'host'>): boolean {
  return host === '::' || host === '0.0.0.0';
}

function at({ port, host }: { readonly port: number; readonly host: string }) {
  return { port, host };
}
