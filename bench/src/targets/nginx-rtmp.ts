import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, launch, makeFolder } from './launch.js';
import { STREAM, type Target } from './target.js';

/** Where Debian's libnginx-mod-rtmp puts it. */
const MODULE = '/usr/lib/nginx/modules/ngx_rtmp_module.so';
const INSTALL = 'it is not installed; on Debian: apt-get install nginx libnginx-mod-rtmp';

/** nginx with its RTMP module, one worker. Chunks as large as Sluice's, so that it has no more headers to write. */
const config = (port: number, folder: string) => `
load_module ${MODULE};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 16384; }
rtmp {
  access_log off;
  server {
    listen 127.0.0.1:${port};
    chunk_size 65536;
    application live { live on; wait_key on; }
  }
}
`;

/** https://github.com/arut/nginx-rtmp-module */
export const nginxRtmp: Target = {
  name: 'nginx-rtmp',
  unavailable(protocol) {
    if (protocol !== 'rtmp') return 'it has RTMP only';
    return existsSync(MODULE) && spawnSync('nginx', ['-v']).status === 0 ? undefined : INSTALL;
  },
  async start(plan) {
    const port = await freePort();
    const folder = await makeFolder('nginx');
    const file = join(folder, 'nginx.conf');
    await writeFile(file, config(port, folder));
    const server = await launch(plan, {
      command: 'nginx',
      args: ['-p', folder, '-c', file, '-e', join(folder, 'error.log')],
      folder,
      ports: [port],
    });
    const publishUrl = `rtmp://127.0.0.1:${port}/${STREAM}`;
    return { ...server, version: version(), publishUrl, playUrl: () => publishUrl };
  },
};

function version(): string {
  const module = spawnSync('dpkg-query', ['-W', 'libnginx-mod-rtmp'], { encoding: 'utf8' });
  if (module.status === 0) return module.stdout.split('\t')[1]?.trim() ?? '';
  return spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.replace(/^.*\//s, '').trim();
}
