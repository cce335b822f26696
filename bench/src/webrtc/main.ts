// npm run bench -- webrtc [--viewers 100,300] [--seconds 10]
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type DtlsCertificate, makeCertificate } from '@sluice/webrtc';
import { type CorePlan, pinSelf, surveyCores } from '../cores.js';
import { createSharedBuffers, viewShared } from '../load/shared.js';
import { usageOf } from '../proc-stat.js';
import { publish } from '../publisher.js';
import { ensureClip, readClip } from '../source-clip.js';
import { freeUdpPort } from '../srt/relay-cost.js';
import { freePort, launch, makeFolder } from '../targets/launch.js';
import { STREAM } from '../targets/target.js';
import { WhepClient } from './whep-client.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../packages/server/dist/main.js', import.meta.url));
/** Until the last of them has had its first keyframe. */
const WARM_UP_MS = 4000;
const DAY_MS = 86_400_000;

const { values } = parseArgs({
  options: { viewers: { type: 'string', default: '100,300' }, seconds: { type: 'string', default: '10' } },
});
const seconds = Number(values.seconds);

const plan = surveyCores();
pinSelf(plan);
console.log('| viewers | joins/s | Mbit/s each | packets/s | CPU of one core | µs a packet | lost | MiB | load CPU |');
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
const clip = await readClip(await ensureClip(CACHE));
const today = Date.now();
const certificate = makeCertificate({
  commonName: 'bench',
  notBefore: new Date(today - DAY_MS),
  notAfter: new Date(today + DAY_MS),
  serial: randomBytes(16),
});
for (const viewers of values.viewers.split(',').map(Number)) {
  console.log(`| ${(await measure(viewers, plan, certificate)).join(' | ')} |`);
}

/** A fresh server, one stream, and so many viewers that join one after the other. */
async function measure(viewers: number, cores: CorePlan, own: DtlsCertificate): Promise<(string | number)[]> {
  const [rtmp, http, api, webrtc] = [await freePort(), await freePort(), await freePort(), await freeUdpPort()];
  const server = await launch(cores, {
    command: process.execPath,
    args: [MAIN, 'serve'],
    env: {
      NODE_ENV: 'production',
      SLUICE_RTMP_PORT: String(rtmp),
      SLUICE_HTTP_PORT: String(http),
      SLUICE_API_PORT: String(api),
      SLUICE_WEBRTC_PORT: String(webrtc),
      SLUICE_WEBRTC_HOST: '127.0.0.1',
      SLUICE_SRT_ENABLED: 'false',
      SLUICE_LOG_LEVEL: 'warn',
    },
    folder: await makeFolder('webrtc'),
    ports: [rtmp, http],
  });
  const clients: WhepClient[] = [];
  const publishing = await publish(`rtmp://127.0.0.1:${rtmp}/${STREAM}`, clip, viewShared(createSharedBuffers(1)));
  try {
    await sleep(WARM_UP_MS / 2);
    const joining = performance.now();
    for (let at = 0; at < viewers; at++) {
      clients.push(await WhepClient.connect(`http://127.0.0.1:${http}/whep/${STREAM}`, own));
    }
    const joined = (performance.now() - joining) / 1000;
    await sleep(WARM_UP_MS);
    const look = () => ({ ...total(clients), at: performance.now(), cpu: usageOf([server.pid]).cpuSeconds });
    const [before, load] = [look(), process.cpuUsage()];
    await sleep(seconds * 1000);
    const [after, spent] = [look(), process.cpuUsage(load)];
    const elapsed = (after.at - before.at) / 1000;
    const [packets, cpu] = [after.packets - before.packets, after.cpu - before.cpu];
    return [
      viewers,
      (viewers / joined).toFixed(0),
      (((after.bytes - before.bytes) * 8) / elapsed / viewers / 1e6).toFixed(2),
      (packets / elapsed).toFixed(0),
      (cpu / elapsed).toFixed(2),
      ((cpu / packets) * 1e6).toFixed(2),
      after.lost - before.lost,
      usageOf([server.pid]).residentMib.toFixed(0),
      ((spent.user + spent.system) / 1e6 / elapsed).toFixed(2),
    ];
  } finally {
    for (const client of clients) await client.close();
    await publishing.close();
    await server.stop();
  }
}

function total(clients: readonly WhepClient[]): { packets: number; bytes: number; lost: number } {
  const sums = { packets: 0, bytes: 0, lost: 0 };
  for (const { counts } of clients) {
    sums.packets += counts.packets;
    sums.bytes += counts.bytes;
    sums.lost += counts.lost;
  }
  return sums;
}
