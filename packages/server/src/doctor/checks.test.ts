import { createSocket } from 'node:dgram';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '@sluice/core';
import { isWell, jsonReport, loadConfig, textReport } from '@sluice/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Door } from '../network/doors.js';
import { addressFindings, stunFindings } from './addresses.js';
import { dataDirectoryFindings } from './data-directory.js';
import { ffmpegFindings } from './ffmpeg.js';
import { bufferFindings, clockFindings, openFilesFindings } from './machine.js';
import { portOwner } from './port-owner.js';
import { hairpinFindings, loopbackFindings } from './udp.js';

const only = (findings: readonly Finding[]): Finding | undefined => (findings.length === 1 ? findings[0] : undefined);
const configOf = (settings: object) => loadConfig({ file: { name: 'x', text: JSON.stringify(settings) } });

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-checks-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('addresses', () => {
  const facts = { announced: ['10.0.0.5'], own: ['10.0.0.5'], isConfigured: false, seen: [] };
  const statusOf = (announced: string, more: object = {}) =>
    addressFindings({ ...facts, isConfigured: true, announced: [announced], ...more })[0]?.status;

  it('tells those that lead here from those that can not', () => {
    expect(statusOf('10.0.0.5')).toBe('ok');
    expect(statusOf('10.0.0.6')).toBe('failed');
    expect(statusOf('127.0.0.1')).toBe('warning');
    expect(statusOf('203.0.114.1')).toBe('warning');
    expect(statusOf('203.0.114.1', { seen: ['203.0.114.1'] })).toBe('ok');
    expect(statusOf('203.0.114.1', { seen: ['203.0.114.2'] })).toBe('failed');
    // Where IPv4 is seen says nothing of IPv6.
    expect(statusOf('2a00::1', { seen: ['203.0.114.2'] })).toBe('warning');
  });

  it('says that private addresses are for private networks, and what a STUN server sees', () => {
    expect(addressFindings(facts).at(-1)).toMatchObject({
      status: 'warning',
      advice: expect.stringMatching(/ANNOUNCE/),
    });
    const answer = { url: 'stun:x', seen: '203.0.114.1', fault: undefined };
    expect(only(stunFindings([answer], facts))).toMatchObject({
      status: 'warning',
      advice: expect.stringMatching(/SLUICE_WEBRTC_ANNOUNCE=203\.0\.114\.1/),
    });
    expect(only(stunFindings([answer], { ...facts, announced: ['203.0.114.1'] }))?.status).toBe('ok');
    const none = { url: 'stun:x', seen: undefined, fault: 'no answer' };
    expect(only(stunFindings([none], facts))).toMatchObject({ status: 'warning', found: 'no answer' });
  });
});

describe('the machine', () => {
  it('has buffers as large as datagrams in bursts need, or is told how to get them', () => {
    const read = (value: string) => (file: string) => (file.endsWith('rmem_max') ? value : undefined);
    expect(only(bufferFindings(read('4194304\n')))?.status).toBe('ok');
    expect(only(bufferFindings(read('212992\n')))).toMatchObject({
      status: 'warning',
      advice: expect.stringMatching(/net\.core\.rmem_max=4194304/),
    });
    expect(bufferFindings(() => undefined)).toEqual([]);
  });

  it('may have as many files open as there can be connections', () => {
    const read = (most: string) => (file: string) =>
      file === '/proc/7/limits'
        ? `Max open files            ${most}                 524288               files\n`
        : undefined;
    const config = configOf({ rtmp: { maxConnections: 500 }, http: { maxConnections: 400 } });
    expect(only(openFilesFindings(config, read('1000'), 7))?.status).toBe('ok');
    expect(only(openFilesFindings(config, read('unlimited'), 7))?.status).toBe('ok');
    expect(only(openFilesFindings(config, read('999'), 7))).toMatchObject({
      status: 'warning',
      advice: expect.stringMatching(/LimitNOFILE=1000/),
    });
    expect(openFilesFindings(config, () => undefined)).toEqual([]);
  });

  it('has a clock that is not behind this program, and that somebody keeps', () => {
    const [built, later] = [new Date('2026-01-01'), new Date('2026-02-01')];
    expect(only(clockFindings(later, () => undefined, built))?.status).toBe('ok');
    expect(only(clockFindings(new Date(0), () => undefined, built))?.status).toBe('failed');
    const systemd = (file: string) => (file === '/proc/1/comm' ? 'systemd\n' : undefined);
    expect(only(clockFindings(later, systemd, built))?.status).toBe('warning');
    expect(only(clockFindings(later, (file) => systemd(file) ?? '', built))?.status).toBe('ok');
  });

  it.skipIf(process.platform !== 'linux')('says who has a port', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    expect(portOwner('tcp', port)).toMatchObject({ pid: process.pid, isSluice: false });
    await new Promise((done) => server.close(done));
    expect(portOwner('tcp', port)).toBeUndefined();
    const socket = createSocket('udp4');
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    expect(portOwner('udp', socket.address().port)?.pid).toBe(process.pid);
    socket.close();
  });

  it.each([
    [['node', '/srv/packages/server/dist/main.js', 'serve'], 'node /srv/packages/server/dist/main.js', true],
    [['/usr/bin/node', '/usr/local/bin/sluice'], 'node /usr/local/bin/sluice', true],
    [['node', '-e', 'sluice'], 'node', false],
    [['/usr/bin/ffmpeg', 'rtmp://x/live/secret'], 'ffmpeg', false],
  ])('knows Sluice by its command line, and shows no arguments: %j', async (words, command, isSluice) => {
    const proc = await mkdtemp(join(directory, 'proc-'));
    await mkdir(join(proc, 'net'));
    await mkdir(join(proc, '42', 'fd'), { recursive: true });
    await writeFile(join(proc, 'net', 'udp6'), `head\n 1: 0:1F40 0:0 07 0:0 00:0 0 0 0 4711 2\n`);
    await writeFile(join(proc, '42', 'cmdline'), words.join('\0'));
    await symlink('socket:[4711]', join(proc, '42', 'fd', '3'));
    expect(portOwner('udp', 8000, proc)).toEqual({ pid: 42, command, isSluice });
    expect(portOwner('tcp', 8000, proc)).toBeUndefined();
  });
});

describe('datagrams', () => {
  const door: Door = { name: 'SRT', key: 'srt.port', protocol: 'udp', port: 0, host: '127.0.0.1', users: 'both' };
  const state = (own: Partial<Door>) =>
    ({ door: { ...door, ...own }, state: 'free', owner: undefined, code: undefined }) as const;

  it('are seen to arrive, and to be lost', async () => {
    expect(only(await loopbackFindings([state({})]))).toMatchObject({ status: 'ok', found: 'arrive' });
    const socket = createSocket('udp4');
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    const { port } = socket.address();
    socket.close();
    expect(only(await hairpinFindings(['127.0.0.1'], [state({ port })]))?.status).toBe('ok');
    expect(only(await hairpinFindings(['127.0.0.9'], [state({ port })]))).toMatchObject({
      status: 'warning',
      advice: expect.stringMatching(/doctor --probe 127\.0\.0\.9/),
    });
  });

  it('are not asked of a WebRTC port that is in use, which answers peers only', async () => {
    const busy = { ...state({ name: 'WebRTC', port: 8000 }), state: 'sluice' } as const;
    expect(await loopbackFindings([busy])).toEqual([]);
    expect(await hairpinFindings(['127.0.0.1'], [busy])).toEqual([]);
  });
});

describe('the data directory', () => {
  const findings = (dir: string) => dataDirectoryFindings(configOf({ data: { dir } }));

  it('is there and writable, or can be made', async () => {
    expect(only(await findings(directory))?.found).toMatch(/^writable, \d+ MiB free$/);
    const made = only(await findings(join(directory, 'a', 'b')));
    expect(made?.found).toMatch(/^to be made at the first start/);
    expect(made?.check).toBe(`data directory ${join(directory, 'a', 'b')}`);
  });

  it('is a directory, and one that can be written to', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    expect(only(await findings(file))).toMatchObject({ status: 'failed', advice: expect.stringMatching(/DATA_DIR/) });
    expect(only(await findings(join(file, 'below')))?.status).toBe('failed');
    expect(only(await findings('/proc/sluice'))?.status).toBe('failed');
  });
});

describe('ffmpeg', () => {
  const program = async (text: string) => {
    const file = join(directory, 'ffmpeg');
    await writeFile(file, `#!/bin/sh\n${text}\n`);
    await chmod(file, 0o755);
    return ffmpegFindings({ FFMPEG_PATH: file });
  };

  it('is looked for, run, and asked for its encoders', async () => {
    expect(only(await ffmpegFindings({ PATH: directory }))).toMatchObject({ status: 'warning' });
    expect(only(await ffmpegFindings({ FFMPEG_PATH: '/nowhere' }))?.found).toMatch(
      /FFMPEG_PATH \/nowhere is no program/,
    );
    expect(only(await program('exit 3'))).toMatchObject({ status: 'failed' });
    const small = await program(`echo "ffmpeg version 9.9 x"; echo " A....D aac  AAC"; echo " V....D libx264rgb  x"`);
    expect(small.map(({ status }) => status)).toEqual(['ok', 'warning', 'ok', 'warning']);
    expect(small[0]?.found).toMatch(/^9\.9 /);
  });
});

describe('the report', () => {
  const findings: Finding[] = [
    { check: 'a', status: 'ok', found: 'b' },
    { check: 'c', status: 'warning', found: 'd', advice: 'e' },
  ];

  it('is a line for each, what to do below it, and a sum', () => {
    expect(textReport(findings)).toBe('✓ a: b\n! c: d\n    e\n\n1 fine, 1 to look at, 0 wrong\n');
    expect(JSON.parse(jsonReport(findings))).toEqual({ ok: true, findings });
    expect(isWell([...findings, { check: 'f', status: 'failed', found: 'g', advice: 'h' }])).toBe(false);
  });
});
