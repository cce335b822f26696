// npm run bench -- console [--streams 200] [--seconds 30] [--whole]; see bench/README.md
import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { surveyCores } from '../cores.js';
import { Publishers } from '../recording/publishers.js';
import { ensureClip, idleVersion, readClip } from '../source-clip.js';
import { startSluice } from '../webrtc/servers.js';
import { Board } from './board.js';
import { measureCost } from './feed-cost.js';

const CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '30' },
    /** Sends the whole clip, and not only as much as keeps a stream alive. */
    whole: { type: 'boolean', default: false },
  },
});
const [streams, seconds] = [Number(values.streams), Number(values.seconds)];
const clip = await readClip(await ensureClip(CACHE, '1M'));
const token = randomBytes(16).toString('hex');
const [user, password] = ['bench', randomBytes(16).toString('hex')];
// Encoder, browser and server share what there is.
const plan = { ...surveyCores(), pinned: false };
const server = await startSluice({
  plan,
  environment: { SLUICE_API_TOKEN: token, SLUICE_WEBRTC_ENABLED: 'false', SLUICE_DATA_DIR: 'data' },
});
let publishers: Publishers | undefined;
let board: Board | undefined;
try {
  publishers = await Publishers.start(server.rtmp, values.whole ? clip : idleVersion(clip), streams);
  await fetch(`${server.api}/api/v2/users`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: user, password, role: 'admin' }),
  });
  const row = (...cells: (string | number)[]) => console.log(`| ${cells.join(' | ')} |`);
  row('who listens', 'server, % of a core', 'pictures by ffmpeg, % of a core', 'kB/s of each');
  row('---', '---', '---', '---');
  for (const listeners of [0, 1, 20]) {
    const { own, children, bytes } = await measureCost({ server, token, listeners, seconds });
    const each = listeners === 0 ? '' : (bytes / 1000 / listeners).toFixed(0);
    row(listeners === 0 ? 'nobody' : `${listeners} feeds`, percent(own), percent(children), each);
  }
  board = await Board.open({ api: server.api, user, password });
  const { own, children } = await measureCost({ server, token, listeners: 0, seconds });
  row('a board', percent(own), percent(children), '');
  const figures = await board.scroll();
  console.log('');
  row(
    'cards',
    'first paint ms',
    'scrolling fps',
    'dropped',
    'longest pause ms',
    'tasks > 50 ms of a core',
    'ms of a core for a picture',
  );
  row('---', '---', '---', '---', '---', '---', '---');
  row(
    figures.cards,
    ...[figures.firstPaintMs, figures.fps].map((value) => value.toFixed(0)),
    figures.dropped,
    figures.longestMs.toFixed(0),
    figures.longTasks,
    figures.cpuMs.toFixed(1),
  );
  console.log(
    `\nload average ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')}`,
  );
  for (const failure of publishers.failures.slice(0, 3)) console.log(`a publisher: ${failure}`);
} finally {
  await board?.close();
  await publishers?.close();
  await server.stop();
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
