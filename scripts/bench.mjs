// npm run bench: installs and builds what is missing, then measures the fan-out. `npm run bench -- hls` measures what is in
// bench/src/hls, and so on: bench/README.md lists them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
const [first = '', ...rest] = process.argv.slice(2);
const part = join(root, 'bench/dist', first, 'main.js');
if (/^[a-z-]*[a-z]$/.test(first) && existsSync(part)) run(process.execPath, [part, ...rest]);
else run(process.execPath, [join(root, 'bench/dist/main.js'), ...process.argv.slice(2)]);
