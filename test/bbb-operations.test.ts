import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NODE_FLAGS } from '../packages/server/src/node-flags.js';
import { BbbStub } from './bbb-stub/src/index.js';
import { writeSecret } from './support/capture-server.js';
import { makeTestCertificate } from './support/certificate.js';
import { MAIN } from './support/command.js';
import { IS_BBB_LONG } from './support/long.js';
import { descendants } from './support/processes.js';
import { exited } from './support/publisher.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const DOCS = fileURLToPath(new URL('../docs/bbb/', import.meta.url));
const UNDER_SECCOMP = fileURLToPath(new URL('support/under-seccomp.py', import.meta.url));
const NOBODY = 65_534;
const PYTHON = '/usr/bin/python3';

const has = (command: string, ...args: string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const folders: string[] = [];
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bbb-operations-'));
  folders.push(folder);
  return folder;
}

test.runIf(has('nginx', '-v'))('nginx takes the example', async () => {
  const folder = await newFolder();
  const { certFile, keyFile } = await makeTestCertificate(folder);
  const example = (await readFile(join(DOCS, 'nginx.conf'), 'utf8'))
    .replace('/etc/ssl/sluice/fullchain.pem', certFile)
    .replace('/etc/ssl/sluice/privkey.pem', keyFile)
    .replace('/var/log/nginx/sluice.log', join(folder, 'access.log'))
    .replace('listen 443', 'listen 127.0.0.1:44344');
  await writeFile(join(folder, 'sluice.conf'), example);
  const main = `pid ${folder}/pid; error_log stderr; events {} http { include ${folder}/sluice.conf; }`;
  await writeFile(join(folder, 'nginx.conf'), main);
  const { stderr, status } = spawnSync('nginx', ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')]);
  expect(status, stderr.toString()).toBe(0);
  expect(stderr.toString()).not.toContain('warn');
  expect(example).toMatch(/rate=10r\/m/);
  expect(example).toMatch(/burst=5 nodelay/);
});

test.runIf(has('systemd-analyze', '--version'))('systemd takes the unit, and finds little to be exposed', () => {
  const unit = join(DOCS, 'sluice.service');
  const { stderr } = spawnSync('systemd-analyze', ['verify', unit]);
  // The programs are where the unit will be, not here.
  const said = stderr.toString().split('\n');
  expect(said.filter((line) => line.includes('sluice.service') && !line.includes('is not executable'))).toEqual([]);
  const report = execFileSync('systemd-analyze', ['security', '--offline=true', unit], { stdio: 'pipe' }).toString();
  expect(Number(/exposure level for sluice.service: (\d+\.\d)/.exec(report)?.[1])).toBeLessThan(3);
});

test('the container can write nothing, has no rights, no network of the host, and its limits', async () => {
  const { services } = parse(await readFile(join(DOCS, 'compose.yml'), 'utf8')) as {
    services: { sluice: Record<string, unknown> };
  };
  expect(services.sluice).toMatchObject({
    user: '10001:10001',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true', 'seccomp=./chromium-seccomp.json'],
    mem_limit: '4g',
    cpus: 2,
    ulimits: { core: 0 },
  });
  for (const key of ['network_mode', 'privileged', 'cap_add', 'pid', 'ipc', 'environment', 'env_file']) {
    expect(services.sluice, key).not.toHaveProperty(key);
  }
});

test('nothing but what the build reads gets into the image, least of all the secret beside it', async () => {
  const rules = (await readFile(join(DOCS, 'Dockerfile.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(rules[0]).toBe('*');
  const letIn = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  for (const name of letIn) expect(existsSync(join(DOCS, '../..', name)), name).toBe(true);
  for (const name of ['docs', 'data', 'node_modules', '.git', '*']) expect(letIn).not.toContain(name);
  expect(rules).toEqual(expect.arrayContaining(['**/node_modules', '**/dist', '**/*.tsbuildinfo']));
  const { workspaces } = JSON.parse(await readFile(join(DOCS, '../../package.json'), 'utf8')) as {
    workspaces: string[];
  };
  for (const workspace of workspaces) expect(letIn).toContain(workspace.split('/')[0]);
});

test('the unit and the image start Node as the command does', async () => {
  const unit = await readFile(join(DOCS, 'sluice.service'), 'utf8');
  expect(unit).toContain(`ExecStart=/usr/bin/node ${NODE_FLAGS.join(' ')} /opt/sluice/`);
  const image = await readFile(join(DOCS, 'Dockerfile'), 'utf8');
  const [, file = ''] = /ln -s \/opt\/sluice\/(\S+) \/usr\/local\/bin\/sluice/.exec(image) ?? [];
  expect(await readFile(join(DOCS, '../..', file), 'utf8')).toContain(NODE_FLAGS.join(' '));
  expect(image).toContain('ENTRYPOINT ["sluice"]');
});

test('the seccomp profile lets Chromium make its namespaces, and nobody mount, trace or load', async () => {
  const { defaultAction, syscalls } = JSON.parse(await readFile(join(DOCS, 'chromium-seccomp.json'), 'utf8')) as {
    defaultAction: string;
    syscalls: { names: string[]; action: string; args?: { value: number }[] }[];
  };
  const allowed = new Map(
    syscalls
      .filter(({ action }) => action === 'SCMP_ACT_ALLOW')
      .flatMap((rule) => rule.names.map((name) => [name, rule])),
  );
  expect(defaultAction).toBe('SCMP_ACT_ERRNO');
  for (const name of ['clone', 'unshare', 'chroot', 'seccomp', 'memfd_create'])
    expect(allowed.has(name), name).toBe(true);
  // CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS and CLONE_NEWIPC are refused.
  for (const name of ['clone', 'unshare']) expect(allowed.get(name)?.args).toMatchObject([{ value: 0x0e020000 }]);
  const refused = ['mount', 'umount2', 'pivot_root', 'setns', 'ptrace', 'process_vm_readv', 'bpf', 'kexec_load'];
  const more = ['init_module', 'finit_module', 'keyctl', 'add_key', 'perf_event_open', 'userfaultfd', 'io_uring_setup'];
  for (const name of [...refused, ...more, 'clone3', 'swapon', 'reboot', 'sethostname', 'settimeofday']) {
    expect(allowed.has(name), name).toBe(false);
  }
});

test('the table of requirements names what is there', async () => {
  const table = await readFile(join(DOCS, 'requirements.md'), 'utf8');
  const rows = table.split('\n').filter((line) => /^\| \d+ \|/.test(line));
  expect(rows.map((row) => Number(row.split('|')[1]))).toEqual(rows.map((_, index) => index + 1));
  const named = rows.flatMap((row) =>
    [...row.matchAll(/`((?:packages|test|docs)\/[^`]+)`/g)].map(([, path]) => path ?? ''),
  );
  expect(named.length).toBeGreaterThan(rows.length);
  expect(named.filter((path) => !existsSync(join(DOCS, '../..', path)))).toEqual([]);
});

/** The system calls of systemd's sets, as it knows them here. */
function callsOf(name: string): string[] {
  if (!name.startsWith('@')) return [name];
  const listed = execFileSync('systemd-analyze', ['syscall-filter', name], { stdio: 'pipe' }).toString();
  const names = listed.split('\n').map((line) => line.trim());
  return names.slice(1).flatMap((one) => (one === '' || one.startsWith('#') ? [] : callsOf(one)));
}

/** What the unit lets programs call, in the format of the container's profile. */
async function profileOfUnit(folder: string): Promise<string> {
  const unit = await readFile(join(DOCS, 'sluice.service'), 'utf8');
  const [, filter = ''] = /^SystemCallFilter=(.+)$/m.exec(unit) ?? [];
  expect(unit).toMatch(/^RestrictNamespaces=user pid net$/m);
  const names = [...new Set(filter.split(' ').flatMap(callsOf))];
  expect(names.length).toBeGreaterThan(200);
  const allow = { action: 'SCMP_ACT_ALLOW' };
  // CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS and CLONE_NEWIPC; what takes a structure can't be looked into.
  const args = [{ index: 0, value: 0x0e020000, valueTwo: 0 }];
  const made = ['clone', 'unshare'];
  const syscalls = [
    { ...allow, names: names.filter((name) => ![...made, 'clone3'].includes(name)) },
    { ...allow, names: made, args },
    { action: 'SCMP_ACT_ERRNO', errnoRet: 38, names: ['clone3'] },
  ];
  const file = join(folder, 'unit.json');
  await writeFile(file, JSON.stringify({ syscalls }));
  return file;
}

const HAS_SECCOMP = has(PYTHON, '-c', 'import seccomp');

describe.runIf(IS_BBB_LONG && process.getuid?.() === 0)('as the program of a user', () => {
  test.each([
    ['by itself', undefined],
    ...(HAS_SECCOMP
      ? ([
          ['under the seccomp profile', async () => join(DOCS, 'chromium-seccomp.json')],
          ['under the unit’s filter of system calls', profileOfUnit],
        ] as const)
      : []),
  ] as const)(
    'a capture keeps the sandbox of Chromium, %s',
    async (_name, makeProfile) => {
      const folder = await newFolder();
      await chmod(folder, 0o755);
      const home = join(folder, 'home');
      await mkdir(home);
      const stub = await BbbStub.start();
      closing.push(() => stub.stop());
      stub.meetings.create({ meetingID: 'room' });
      const target = await startServer();
      closing.push(() => target.stop());
      const secretFile = join(home, 'secret');
      await writeSecret(secretFile, stub.secret);
      for (const file of [home, secretFile]) chownSync(file, NOBODY, NOBODY);
      const config = join(folder, 'sluice.yml');
      const bbb = `bbb: { url: '${stub.url}', secretFile: '${secretFile}', targets: ['${target.rtmp}'] }`;
      await writeFile(config, `${bbb}\ndata: { dir: '${home}' }\n`);
      const args = [MAIN, 'bbb', 'start', '-c', config, '-m', 'room', '-t', `${target.rtmp}/live/room`];
      const env = { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: home };
      const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
      const seccomp = await makeProfile?.(folder);
      const child =
        seccomp === undefined
          ? spawn(process.execPath, args, { env, stdio, uid: NOBODY, gid: NOBODY })
          : spawn(PYTHON, [UNDER_SECCOMP, seccomp, String(NOBODY), process.execPath, ...args], { env, stdio });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (bytes: Buffer) => {
          said += bytes;
        });
      }
      closing.push(async () => {
        child.kill('SIGTERM');
        await exited(child);
      });
      await until('it is live', () => /: live\n/.test(said), 40_000).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${said}`);
      });
      const renderers = descendants(child.pid).filter(({ command }) => command.includes('--type=renderer'));
      expect(renderers.length).toBeGreaterThan(0);
      for (const { pid, command } of renderers) {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
        expect(status).toMatch(/^Seccomp:\s+2$/m);
        expect(Number(/^Seccomp_filters:\s+(\d+)$/m.exec(status)?.[1])).toBe(seccomp === undefined ? 1 : 2);
        expect(command).not.toContain('--no-sandbox');
        for (const kind of ['user', 'pid', 'net']) {
          expect(readlinkSync(`/proc/${pid}/ns/${kind}`), kind).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
        }
      }
      child.kill('SIGINT');
      expect(await exited(child)).toBe(0);
      expect((await readdir(home)).filter((name) => name.startsWith('sluice-bbb-'))).toEqual([]);
      expect(said).toMatch(/ended, stopped/);
    },
    90_000,
  );
});
