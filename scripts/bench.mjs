// npm run bench: installs and builds what is missing, then measures.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
run(process.execPath, [join(root, 'bench/dist/main.js'), ...process.argv.slice(2)]);
