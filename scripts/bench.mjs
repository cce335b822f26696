// npm run bench: installs and builds what is missing, then measures. `npm run bench -- srt` measures SRT.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
const [first, ...rest] = process.argv.slice(2);
if (first === 'srt') run(process.execPath, [join(root, 'bench/dist/srt/main.js'), ...rest]);
else run(process.execPath, [join(root, 'bench/dist/main.js'), ...process.argv.slice(2)]);
