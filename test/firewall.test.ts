import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSluice } from './support/command.js';

/** A network of one's own, where rules of a firewall can be tried: not everywhere allowed. */
const hasNamespaces = spawnSync('unshare', ['-rn', 'true']).status === 0;
const hasUfw = process.getuid?.() === 0 && spawnSync('ufw', ['version']).status === 0;

/** All that can make a rule look different. */
const CONFIG = `
rtmp: { host: 0.0.0.0 }
http: { host: 192.0.2.1 }
https: { host: "2001:db8::1" }
api: { host: "::", allow: [10.0.0.0/8, "fd00::/8"] }
tls: { certFile: c.pem, keyFile: k.pem }
access: { publishAllow: [192.0.2.0/24] }
webrtc: { iceServers: ["turns:turn.example.org:443?transport=tcp"] }
`;

describe('sluice firewall', () => {
  let directory: string;
  let config: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-firewall-'));
    config = join(directory, 'sluice.yml');
    await writeFile(config, CONFIG);
  });
  afterAll(() => rm(directory, { recursive: true }));

  const rulesFor = async (format: string): Promise<{ file: string; text: string }> => {
    const { code, stdout, stderr } = await runSluice(['firewall', '--format', format, '--config', config]);
    expect([code, stderr]).toEqual([0, '']);
    const file = join(directory, format);
    await writeFile(file, stdout);
    return { file, text: stdout };
  };
  /** In a network of its own. */
  const isolated = (...command: string[]) => {
    const { status, stderr } = spawnSync('unshare', ['-rn', ...command], { encoding: 'utf8' });
    expect(status, `${command.join(' ')}\n${stderr}`).toBe(0);
  };

  it.skipIf(!hasNamespaces)('writes what nft takes, twice too', async () => {
    const { file } = await rulesFor('nft');
    isolated('nft', '-c', '-f', file);
    isolated('sh', '-ec', `nft -f ${file}; nft -f ${file}; test $(nft list ruleset | grep -c "dport 1935") = 1`);
  });

  it.skipIf(!hasNamespaces)('writes what iptables-restore and ip6tables-restore take, twice too', async () => {
    const { file } = await rulesFor('iptables');
    for (const restore of ['iptables-restore', 'ip6tables-restore']) {
      isolated(restore, '--test', '--noflush', file);
      const save = restore.replace('restore', 'save');
      const [own, other] = restore === 'iptables-restore' ? ['192.0.2.1', '2001:db8::1'] : ['2001:db8::1', '192.0.2.1'];
      isolated(
        'sh',
        '-ec',
        `for i in 1 2; do ${restore} --noflush ${file}; done; ${save} > ${file}.saved
        test $(grep -c -- "--dport 22 " ${file}.saved) = 1
        grep -q ${own} ${file}.saved; grep -q ":INPUT DROP" ${file}.saved
        if grep -q ${other} ${file}.saved; then exit 3; fi`,
      );
    }
  });

  it.skipIf(!hasUfw)('writes what ufw takes', async () => {
    const { text } = await rulesFor('ufw');
    const lines = text.split('\n').filter((line) => line.startsWith('ufw '));
    expect(lines.length).toBeGreaterThan(8);
    const script = lines.map((line) => line.replace(/^ufw/, 'ufw --dry-run')).join('\n');
    const { status, stderr } = spawnSync('sh', ['-ec', script], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });

  it('knows another port of SSH, and no other format', async () => {
    const { stdout } = await runSluice(['firewall', '--ssh-port', '2222']);
    expect(stdout).toMatch(/tcp dport 2222 accept comment "SSH"/);
    expect(stdout).not.toMatch(/dport 22 /);
    expect(await runSluice(['firewall', '--ssh-port', 'any'])).toMatchObject({ code: 2, stdout: '' });
    const wrong = await runSluice(['firewall', '--format', 'pf']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/Allowed choices are nft, iptables, ufw/)]);
  });
});
