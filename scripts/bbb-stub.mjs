// npm run bbb:stub: installs and builds what is missing, then runs a stub of BigBlueButton. `--help` tells of its options.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const stub = spawn(process.execPath, [join(root, 'test/bbb-stub/dist/main.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// npm and the terminal signal the whole group; the stub decides when it is done.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stub.kill(signal));
stub.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
