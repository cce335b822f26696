import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { freePort, launch, makeFolder } from './launch.js';
import { STREAM, type Target } from './target.js';

/** https://github.com/illuspas/Node-Media-Server, Apache-2.0, by its own command with its own options. */
export const nodeMediaServer: Target = {
  name: 'node-media-server',
  unavailable: () => (packageFile() === undefined ? 'the package is not installed; run `npm install`' : undefined),
  async start(plan) {
    const manifest = packageFile() ?? '';
    const rtmp = await freePort();
    const http = await freePort();
    const folder = await makeFolder('nms');
    const config = join(folder, 'config.json');
    await writeFile(
      config,
      JSON.stringify({
        bind: '127.0.0.1',
        store: { path: folder },
        auth: { play: false, publish: false, jwt: { secret: 'unused', users: [] } },
        rtmp: { port: rtmp },
        http: { port: http },
        webadmin: { enable: false },
        record: { auto: false, path: folder },
      }),
    );
    const server = await launch(plan, {
      command: process.execPath,
      args: [join(dirname(manifest), 'bin/app.js'), '--config', config, '--no-admin'],
      env: { NODE_ENV: 'production' },
      folder,
      ports: [rtmp, http],
    });
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    const publishUrl = `rtmp://127.0.0.1:${rtmp}/${STREAM}`;
    return {
      ...server,
      version,
      publishUrl,
      playUrl: (protocol) => (protocol === 'rtmp' ? publishUrl : `http://127.0.0.1:${http}/${STREAM}.flv`),
    };
  },
};

function packageFile(): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths('node-media-server') ?? [];
  return folders.map((folder) => join(folder, 'node-media-server/package.json')).find((file) => existsSync(file));
}
