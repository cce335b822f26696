import { fileURLToPath } from 'node:url';
import type { CorePlan } from '../cores.js';
import { createSharedBuffers, viewShared } from '../load/shared.js';
import { publish } from '../publisher.js';
import { readClip } from '../source-clip.js';
import { freeUdpPort } from '../srt/relay-cost.js';
import { freePort, launch, makeFolder } from '../targets/launch.js';
import { SERVER_ARGS } from '../targets/server-command.js';
import { STREAM } from '../targets/target.js';
import { WATCH_ARGS, watchEnvironment } from './server-watch.js';

const WERIFT = fileURLToPath(new URL('werift-process.js', import.meta.url));

export interface WhepServerOptions {
  readonly plan: CorePlan;
  /** Where a CPU profile of what is watched goes. */
  readonly profile?: string | undefined;
  /** More for Node's command line. */
  readonly preload?: readonly string[];
  /** More of the server's settings. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A server that runs, with its event loop watched when it is asked to. */
export interface RunningServer {
  readonly pid: number;
  readonly folder: string;
  stop(): Promise<void>;
}

export interface SluiceAddresses {
  /** Before a stream's path. */
  readonly rtmp: string;
  readonly http: string;
  readonly api: string;
}

/** This repository's server with its port of WebRTC on loopback. */
export async function startSluice(options: WhepServerOptions): Promise<RunningServer & SluiceAddresses> {
  const { plan, profile, preload = [], environment = {} } = options;
  const [rtmp, http, api, webrtc] = [await freePort(), await freePort(), await freePort(), await freeUdpPort()];
  const folder = await makeFolder('webrtc');
  const server = await launch(plan, {
    command: process.execPath,
    args: [...WATCH_ARGS, ...preload, ...SERVER_ARGS, 'serve'],
    env: {
      NODE_ENV: 'production',
      SLUICE_RTMP_PORT: String(rtmp),
      SLUICE_HTTP_PORT: String(http),
      SLUICE_API_PORT: String(api),
      SLUICE_WEBRTC_PORT: String(webrtc),
      SLUICE_WEBRTC_HOST: '127.0.0.1',
      SLUICE_SRT_ENABLED: 'false',
      SLUICE_LOG_LEVEL: 'warn',
      ...environment,
      ...watchEnvironment(profile),
    },
    folder,
    ports: [rtmp, http],
  });
  const host = '127.0.0.1';
  return {
    ...server,
    folder,
    rtmp: `rtmp://${host}:${rtmp}`,
    http: `http://${host}:${http}`,
    api: `http://${host}:${api}`,
  };
}

/** A server that sends the clip by WHEP. */
export interface WhepServer extends RunningServer {
  readonly whepUrl: string;
}

export const WHEP_SERVERS = ['sluice', 'werift'] as const;
export type WhepServerName = (typeof WHEP_SERVERS)[number];

/** @param clip its file */
export function startWhepServer(name: WhepServerName, clip: string, options: WhepServerOptions): Promise<WhepServer> {
  return name === 'sluice' ? sluiceWithStream(clip, options) : startWerift(clip, options);
}

/** The clip comes over RTMP from this process. */
async function sluiceWithStream(clip: string, options: WhepServerOptions): Promise<WhepServer> {
  const server = await startSluice(options);
  const shared = viewShared(createSharedBuffers(1));
  const publishing = await publish(`${server.rtmp}/${STREAM}`, await readClip(clip), shared);
  return {
    ...server,
    whepUrl: `${server.http}/whep/${STREAM}`,
    stop: async () => {
      await publishing.close();
      await server.stop();
    },
  };
}

/** The clip is in its memory, as packets that are ready to be sent. */
async function startWerift(clip: string, { plan, profile }: WhepServerOptions): Promise<WhepServer> {
  const port = await freePort();
  const folder = await makeFolder('werift');
  const server = await launch(plan, {
    command: process.execPath,
    args: [...WATCH_ARGS, WERIFT, String(port), clip],
    env: { NODE_ENV: 'production', ...watchEnvironment(profile) },
    folder,
    ports: [port],
  });
  return { ...server, folder, whepUrl: `http://127.0.0.1:${port}/whep` };
}
