import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { CorePlan } from '../cores.js';
import { freePort, launch, makeFolder } from './launch.js';
import { SERVER_ARGS, SERVER_MAIN } from './server-command.js';
import { type RunningTarget, STREAM, type Target } from './target.js';

const PACKAGE = new URL('../../../packages/server/package.json', import.meta.url);

const SCRAPE_MS = 1000;

const unavailable = () => (existsSync(SERVER_MAIN) ? undefined : 'it is not built; run `npm run build`');

/** This repository's server, as built, with its defaults. */
export const sluice: Target = {
  name: 'sluice',
  unavailable,
  start: async (plan) => (await start(plan, {}, '')).running,
};

/** The same with worker processes, on all cores. */
export function sluiceWithWorkers(workers: number): Target {
  return {
    name: `sluice, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
    unavailable,
    async start(plan) {
      const server = [...new Set([...plan.server, ...plan.load])];
      const { running } = await start({ ...plan, server }, { SLUICE_WORKERS: String(workers) }, '');
      return running;
    },
  };
}

/** The same with its doors guarded: everybody shows a signed URL, and figures of each stream are asked for every second. */
export const guardedSluice: Target = {
  name: 'sluice-guarded',
  unavailable,
  async start(plan) {
    const settings = {
      SLUICE_ACCESS_PUBLISH: 'credential',
      SLUICE_ACCESS_PLAY: 'credential',
      SLUICE_AUTH_SIGNING_SECRET: randomBytes(32).toString('hex'),
      SLUICE_METRICS_PER_STREAM: 'true',
    };
    const { running, api } = await start(plan, settings, (action) => signedQuery(action, settings));
    const scrape = () => fetch(`http://127.0.0.1:${api}/metrics`).then((response) => response.arrayBuffer());
    const timer = setInterval(() => void scrape().catch(() => undefined), SCRAPE_MS);
    return {
      ...running,
      stop: async () => {
        clearInterval(timer);
        await running.stop();
      },
    };
  },
};

type QueryFor = (action: 'publish' | 'play') => string;

async function start(
  plan: CorePlan,
  settings: Readonly<Record<string, string>>,
  query: QueryFor | '',
): Promise<{ running: RunningTarget; api: number }> {
  const [rtmp, http, api] = [await freePort(), await freePort(), await freePort()];
  const server = await launch(plan, {
    command: process.execPath,
    args: [...SERVER_ARGS, 'serve'],
    env: {
      NODE_ENV: 'production',
      SLUICE_RTMP_PORT: String(rtmp),
      SLUICE_HTTP_PORT: String(http),
      SLUICE_API_PORT: String(api),
      SLUICE_SRT_ENABLED: 'false',
      SLUICE_WEBRTC_ENABLED: 'false',
      SLUICE_LOG_LEVEL: 'warn',
      ...settings,
    },
    folder: await makeFolder('sluice'),
    ports: [rtmp, http],
  });
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
  const [publishQuery, playQuery] = query === '' ? ['', ''] : [query('publish'), query('play')];
  const running: RunningTarget = {
    ...server,
    version,
    publishUrl: `rtmp://127.0.0.1:${rtmp}/${STREAM}${publishQuery}`,
    playUrl: (protocol) =>
      protocol === 'rtmp'
        ? `rtmp://127.0.0.1:${rtmp}/${STREAM}${playQuery}`
        : `http://127.0.0.1:${http}/${STREAM}.flv${playQuery}`,
  };
  return { running, api };
}

function signedQuery(action: string, settings: Readonly<Record<string, string>>): string {
  const args = [...SERVER_ARGS, 'token', STREAM, '--action', action, '--viewer', 'bench', '--session-end', '1d'];
  return execFileSync(process.execPath, args, { env: { ...process.env, ...settings }, encoding: 'utf8' }).trim();
}
