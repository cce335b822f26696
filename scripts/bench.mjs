// npm run bench: installs and builds what is missing, then measures. `npm run bench -- srt`, `transcode`, `webrtc`, `hls`,
// `hls-latency`, `player`, `recording` and `console` measure those.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

prepare();
const [first, ...rest] = process.argv.slice(2);
const PARTS = ['srt', 'transcode', 'webrtc', 'hls', 'hls-latency', 'player', 'recording', 'console'];
if (PARTS.includes(first)) run(process.execPath, [join(root, `bench/dist/${first}/main.js`), ...rest]);
else run(process.execPath, [join(root, 'bench/dist/main.js'), ...process.argv.slice(2)]);
