import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, launch, makeFolder } from './launch.js';
import { STREAM, type Target } from './target.js';

const MAIN = fileURLToPath(new URL('../../../packages/server/dist/main.js', import.meta.url));
const PACKAGE = new URL('../../../packages/server/package.json', import.meta.url);

/** This repository's server, as built, with its defaults. */
export const sluice: Target = {
  name: 'sluice',
  unavailable: () => (existsSync(MAIN) ? undefined : 'it is not built; run `npm run build`'),
  async start(plan) {
    const rtmp = await freePort();
    const http = await freePort();
    const server = await launch(plan, {
      command: process.execPath,
      args: [MAIN, 'serve'],
      env: {
        NODE_ENV: 'production',
        SLUICE_RTMP_PORT: String(rtmp),
        SLUICE_HTTP_PORT: String(http),
        SLUICE_LOG_LEVEL: 'warn',
      },
      folder: await makeFolder('sluice'),
      ports: [rtmp, http],
    });
    const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
    const publishUrl = `rtmp://127.0.0.1:${rtmp}/${STREAM}`;
    return {
      ...server,
      version,
      publishUrl,
      playUrl: (protocol) => (protocol === 'rtmp' ? publishUrl : `http://127.0.0.1:${http}/${STREAM}.flv`),
    };
  },
};
