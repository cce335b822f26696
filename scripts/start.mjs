// npm start: installs and builds what is missing, then runs the server. Arguments go to `sluice serve`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
const dist = join(root, 'packages/server/dist');
const { NODE_FLAGS } = await import(pathToFileURL(join(dist, 'node-flags.js')).href);
const args = [...NODE_FLAGS, join(dist, 'main.js'), 'serve', ...process.argv.slice(2)];
const server = spawn(process.execPath, args, { stdio: 'inherit' });
// npm and the terminal signal the whole group; the server decides when it is done.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
