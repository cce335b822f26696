// npm test: everything that the tests need, then all of them. Arguments go to vitest and skip the static checks.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, prepare, root, run } from './prepare.mjs';

/** The real clients of the tests, and the Debian packages that hold them. */
const TOOLS = [
  { command: 'ffmpeg', debian: ['ffmpeg'] },
  { command: 'ffprobe', debian: ['ffmpeg'] },
  { command: 'chromium', debian: ['chromium', 'fonts-liberation'] },
  { command: 'openssl', debian: ['openssl'] },
  { command: 'srt-live-transmit', debian: ['srt-tools'] },
  { command: 'curl', debian: ['curl'] },
  { command: 'turnserver', debian: ['coturn'] },
  { command: 'nft', debian: ['nftables'] },
  { command: 'iptables-restore', debian: ['iptables'] },
  { command: 'ip', debian: ['iproute2'] },
  { command: 'nginx', debian: ['nginx-light'] },
  { command: 'nats-server', debian: ['nats-server'] },
  { file: '/usr/lib/nginx/modules/ngx_rtmp_module.so', debian: ['libnginx-mod-rtmp'] },
  { file: '/usr/lib/nginx/modules/ngx_http_js_module.so', debian: ['libnginx-mod-http-js'] },
  { command: 'Xvfb', debian: ['xvfb'] },
  { command: 'pulseaudio', debian: ['pulseaudio'] },
];

const has = ({ command, file }) =>
  file === undefined
    ? spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0
    : existsSync(file);

function installTools() {
  const missing = TOOLS.filter((tool) => !has(tool));
  if (missing.length === 0) return;
  const names = missing.map(({ command, file }) => command ?? file).join(', ');
  const packages = [...new Set(missing.flatMap(({ debian }) => debian))];
  const isDebianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!isDebianRoot) {
    fail(`the tests need ${names}. On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}`);
  }
  console.log(`Installing ${packages.join(', ')} with apt, because the tests need ${names} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const vitestArguments = process.argv.slice(2);
prepare();
installTools();
if (vitestArguments.length === 0) {
  run('npx', ['--no-install', 'biome', 'ci', '.']);
  run('npx', ['--no-install', 'knip']);
  run(process.execPath, ['scripts/check-layers.mjs']);
}
runTests();

function runTests() {
  const report = join(tmpdir(), `sluice-tests-${process.pid}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const result = spawnSync('npx', ['--no-install', 'vitest', 'run', ...reporters, ...vitestArguments], {
    cwd: root,
    stdio: 'inherit',
  });
  const { numPassedTests = 0, numFailedTests = 0 } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  rmSync(report, { force: true });
  console.log(`\n${numPassedTests} passed, ${numFailedTests} failed`);
  process.exitCode = result.status ?? 1;
}
