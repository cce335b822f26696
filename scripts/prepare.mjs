// What has to be there before the server or its tests can run: packages, built code, built pages.
// Plain JavaScript on Node's own modules, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const stamps = join(root, 'node_modules', '.cache', 'sluice');
const MIN_NODE = [20, 19];

/** Runs a command in the root; its output goes to ours. Ends this process when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error !== undefined) fail(`${command} can't be started: ${result.error.message}`);
  if (result.status !== 0) {
    console.error(`\nsluice: "${[command, ...args].join(' ')}" failed; see above.`);
    process.exit(result.status ?? 1);
  }
}

export function fail(message) {
  console.error(`sluice: ${message}`);
  process.exit(1);
}

/** Installs and builds what is missing or has changed since the last time; takes no time where nothing has. */
export function prepare() {
  checkNode();
  step('install', ['package-lock.json'], existsSync(join(root, 'node_modules', '.package-lock.json')), () => {
    console.log('Installing packages …');
    // Not `npm ci`: it refuses a lock file that lacks the optional packages of platforms that its author could not see.
    run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
  });
  const sources = [
    'packages',
    'bench/src',
    'bench/tsconfig.json',
    'test/bbb-stub/src',
    'test/bbb-stub/tsconfig.json',
    'tsconfig.base.json',
    'tsconfig.json',
    'package-lock.json',
  ];
  const isBuilt = ['packages/server/dist/main.js', 'test/bbb-stub/dist/main.js'].every((file) =>
    existsSync(join(root, file)),
  );
  step('build', sources, isBuilt, () => {
    console.log('Building the server …');
    run('npx', ['--no-install', 'tsc', '-b']);
  });
  const pages = ['web-player', 'package-lock.json'];
  step('pages', pages, existsSync(join(root, 'web-player/dist/player.html')), () => {
    console.log('Building the pages …');
    run('npm', ['run', 'build', '--silent', '--workspace', 'web-player']);
  });
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    fail(`Node ${process.versions.node} is too old; ${MIN_NODE.join('.')} or later is needed.`);
  }
}

/** Does something unless its result is there and nothing that it depends on has changed. */
function step(name, inputs, isThere, act) {
  const stamp = join(stamps, name);
  const wanted = fingerprint(inputs);
  if (isThere && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  act();
  mkdirSync(stamps, { recursive: true });
  writeFileSync(stamp, fingerprint(inputs));
}

/** Names, sizes and times of all files: cheap, and changes with every edit. */
function fingerprint(inputs) {
  const hash = createHash('sha256').update(process.version);
  for (const input of inputs) visit(join(root, input), hash);
  return hash.digest('hex');
}

function visit(path, hash) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    hash.update(`${relative(root, path)} ${stats.size} ${stats.mtimeMs}\n`);
    return;
  }
  for (const entry of readdirSync(path).sort()) {
    if (entry !== 'node_modules' && entry !== 'dist' && entry !== '.cache') visit(join(path, entry), hash);
  }
}
