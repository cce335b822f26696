import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAIN, runSluice } from './support/command.js';
import { IS_LONG } from './support/long.js';

/** A network of one's own, where rules of a firewall can be tried: not everywhere allowed. */
const hasNamespaces = spawnSync('unshare', ['-rn', 'true']).status === 0;
const hasUfw = process.getuid?.() === 0 && spawnSync('ufw', ['version']).status === 0;

/** Two machines and a wire: rules and what listens are on the one, who asks is on the other. */
const BETWEEN_TWO_MACHINES = `
  ip link set lo up; ip link add near0 type veth peer name far0
  unshare -n sleep 60 & there=$!
  while [ "$(readlink /proc/$there/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link set far0 netns $there
  ip addr add 10.9.0.1/24 dev near0; ip link set near0 up
  nsenter -t $there -n sh -c "ip addr add 10.9.0.2/24 dev far0; ip link set far0 up; ip link set lo up"
  eval "$LOAD"
  (eval "$LISTEN") & here=$!
  while [ ! -s "$OUT" ]; do :; done
  nsenter -t $there -n sh -c "$ASK"
  kill $here $there
`;

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

  it.skipIf(!hasNamespaces).each(IS_LONG ? ['nft', 'iptables'] : ['nft'])(
    'writes rules for %s that let in what they should, and nothing else',
    async (format) => {
      const environment = { SLUICE_RTMP_PORT: '4001', SLUICE_HTTP_PORT: '4002', SLUICE_HTTP_HOST: '127.0.0.1' };
      const { stdout } = await runSluice(['firewall', '--format', format], environment);
      const rules = join(directory, `packets.${format}`);
      await writeFile(rules, stdout);
      const [out, sluice] = [join(directory, `listening.${format}`), `${process.execPath} ${MAIN}`];
      const { stdout: said, stderr } = spawnSync('unshare', ['-rn', 'sh', '-c', BETWEEN_TWO_MACHINES], {
        encoding: 'utf8',
        timeout: 45_000,
        env: {
          ...process.env,
          OUT: out,
          LOAD: format === 'nft' ? `nft -f ${rules}` : `iptables-restore --noflush ${rules}`,
          LISTEN: `exec env SLUICE_RTMP_PORT=4001 SLUICE_HTTP_PORT=4002 ${sluice} doctor --listen >${out} 2>&1`,
          ASK: `SLUICE_RTMP_PORT=4001 SLUICE_HTTP_PORT=4002 ${sluice} doctor --probe 10.9.0.1`,
        },
      });
      expect(said, stderr).toMatch(/✓ RTMP, tcp 4001: got through/);
      expect(said).toMatch(/✓ SRT, udp 10080: got through/);
      expect(said).toMatch(/✓ WebRTC, udp 8000: got through/);
      // It listens there, on all addresses; but the rules were made for a configuration in which it does not.
      expect(said).toMatch(/✗ HTTP, tcp 4002: no answer: a firewall drops it/);
      expect(said).toMatch(/4 fine, 0 to look at, 1 wrong/);
    },
  );

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
