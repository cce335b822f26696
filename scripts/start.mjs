// npm start: installs and builds what is missing, then runs the server. Arguments go to `sluice serve`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const main = join(root, 'packages/server/dist/main.js');
const server = spawn(process.execPath, [main, 'serve', ...process.argv.slice(2)], { stdio: 'inherit' });
// npm and the terminal signal the whole group; the server decides when it is done.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
server.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
