// npm run bbb:demo: a meeting of a stub of BigBlueButton, captured into the player. Arguments go to the stub (`-- --skin 2.4`);
// SLUICE_… variables to the server.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, prepare, root } from './prepare.mjs';

prepare();
const dist = join(root, 'packages/server/dist');
const { NODE_FLAGS } = await import(pathToFileURL(join(dist, 'node-flags.js')).href);
const folder = mkdtempSync(join(tmpdir(), 'sluice-bbb-demo-'));
const children = [];
let isOver = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(0));

const port = process.argv.includes('--port') ? [] : ['--port', '0'];
const stub = run(join(root, 'test/bbb-stub/dist/main.js'), [...port, ...process.argv.slice(2)]);
const api = await said(stub, /API\s+(\S+)/);
const secret = await said(stub, /secret\s+(\S+)/);
const drive = await said(stub, /drive\s+(.+)\/end/);

const token = randomBytes(24).toString('hex');
const secretFile = join(folder, 'secret');
const config = join(folder, 'sluice.yml');
writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
const bbb = `bbb: { url: '${api}', secretFile: '${secretFile}' }`;
writeFileSync(config, `${bbb}\napi: { token: ${token} }\ndata: { dir: '${join(folder, 'data')}' }\n`, { mode: 0o600 });
const server = run(join(dist, 'main.js'), ['serve', '--config', config], NODE_FLAGS);
const player = (await said(server, /Start page\s+(\S+)/)).replace(/\/$/, '/player/live/demo');
const control = (await said(server, /Control API\s+(\S+)\/docs/)).concat('/bbb/captures');

const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
const body = JSON.stringify({ meetingId: 'demo', target: 'live/demo' });
const begun = await fetch(control, { method: 'POST', headers, body });
const capture = await begun.json();
if (!begun.ok) await end(1, capture.error.message);
let shown = '';
while (!isOver) {
  const now = await (await fetch(`${control}/${capture.id}`, { headers })).json();
  const state = [now.state, now.step ?? now.trouble ?? now.failure ?? now.reason].filter(Boolean).join(': ');
  if (state !== shown) console.log(`capture  ${state}`);
  if (now.state === 'live' && !shown.startsWith('live')) {
    console.log(`watch    ${player}\ndrive    ${drive}/kick (or end, chat, restart, …)\nstop     Ctrl-C`);
  }
  shown = state;
  if (now.state === 'ended' || now.state === 'failed') await end(now.state === 'ended' ? 0 : 1);
  await new Promise((resolve) => setTimeout(resolve, 500));
}

function run(file, args, flags = []) {
  const child = spawn(process.execPath, [...flags, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.text = '';
  child.stdout.on('data', (bytes) => {
    if (child.text.length < 100_000) child.text += bytes;
  });
  child.on('exit', () => end(1, `${file} has ended`));
  children.push(child);
  return child;
}

async function said(child, pattern) {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = pattern.exec(child.text)?.[1];
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return await end(1, `nothing like ${pattern} was said in 30 s`);
}

async function end(code, message) {
  if (isOver) return;
  isOver = true;
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  const gone = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const child of running) child.kill('SIGTERM');
  await Promise.all(gone);
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0 && message !== undefined) fail(message);
  process.exit(code);
}
