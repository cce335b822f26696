import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@sluice/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EgressOptions, egressNames, writeEgress } from './egress.js';

/** A network of one's own, where rules of a firewall can be tried: not everywhere allowed. */
const hasNamespaces = spawnSync('unshare', ['-rn', 'true']).status === 0;

const SETTINGS = {
  url: 'https://bbb.example.org/bigbluebutton/api',
  iceServers: ['turns:turn.example.org:5349?transport=tcp', 'stun:[2001:db8::1]:3478'],
  targets: ['rtmps://192.0.2.7:443', 'rtmp://live.example.org'],
};
const configOf = (bbb: object) => loadConfig({ file: { name: 'x', text: JSON.stringify({ bbb }) } });
const ADDRESSES = new Map([
  ['bbb.example.org', ['10.9.0.2', '2001:db8::2']],
  ['turn.example.org', ['10.9.0.2']],
  ['2001:db8::1', ['2001:db8::1']],
  ['192.0.2.7', ['192.0.2.7']],
]);
const written = (more: Partial<EgressOptions> = {}): string =>
  writeEgress({
    config: configOf(SETTINGS),
    addresses: ADDRESSES,
    dns: ['192.0.2.53'],
    media: [],
    user: undefined,
    ...more,
  });
const acceptedIn = (text: string): string[] =>
  text.split('\n').flatMap((line) => /(ip6? daddr .*) accept/.exec(line)?.[1] ?? []);

/** Two machines and a wire: the rules and who asks are here, who answers is there. */
const BETWEEN_TWO_MACHINES = `
  ip link set lo up; ip link add near0 type veth peer name far0
  unshare -n sleep 60 & there=$!
  while [ "$(readlink /proc/$there/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
  ip link set far0 netns $there
  ip addr add 10.9.0.1/24 dev near0; ip link set near0 up
  nsenter -t $there -n sh -c "ip addr add 10.9.0.2/24 dev far0; ip addr add 10.9.0.3/24 dev far0; ip link set far0 up"
  nft -f $RULES
  nsenter -t $there -n $NODE -e "$ANSWER" & other=$!
  $NODE -e "$ASK"
  kill $other $there
`;
const ANSWER = `
  for (const port of [16384, 32768, 4000]) {
    const socket = require('dgram').createSocket('udp4');
    socket.on('message', (bytes, { address, port }) => socket.send(bytes, port, address));
    socket.bind(port);
  }
  for (const port of [443, 8080]) require('net').createServer((socket) => socket.end()).listen(port);
`;
/** Until the first has been answered, so that the others have to be, too, if they may. */
const ASK = `
  const udp = (host, port, ms) => new Promise((done) => {
    const socket = require('dgram').createSocket('udp4');
    const settle = (came) => { clearTimeout(timer); socket.close(); done(came); };
    const timer = setTimeout(settle, ms, false);
    socket.once('message', () => settle(true));
    socket.on('error', () => undefined);
    socket.send('x', port, host, (error) => error && settle(false));
  });
  const tcp = (host, port, ms) => new Promise((done) => {
    const socket = require('net').connect({ host, port, timeout: ms });
    const settle = (came) => { socket.destroy(); done(came); };
    socket.once('connect', () => settle(true)).once('timeout', () => settle(false)).on('error', () => settle(false));
  });
  (async () => {
    while (!(await udp('10.9.0.2', 16384, 200)) || !(await tcp('10.9.0.2', 443, 200)));
    const said = await Promise.all([
      udp('10.9.0.2', 32768, 2000), udp('10.9.0.2', 4000, 2000), udp('10.9.0.3', 16384, 2000),
      tcp('10.9.0.2', 8080, 2000), tcp('10.9.0.3', 443, 2000),
    ]);
    console.log(JSON.stringify(said));
  })();
`;

describe('writeEgress', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-egress-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('lets BigBlueButton, TURN, targets and DNS be reached, and nothing else', () => {
    expect(egressNames(configOf(SETTINGS))).toEqual([...ADDRESSES.keys(), 'live.example.org']);
    expect(acceptedIn(written({ media: ['198.51.100.0/24', 'fd00::/8'] }))).toEqual([
      'ip daddr 10.9.0.2 tcp dport 443',
      'ip6 daddr 2001:db8::2 tcp dport 443',
      'ip daddr 10.9.0.2 tcp dport 80',
      'ip6 daddr 2001:db8::2 tcp dport 80',
      'ip daddr 10.9.0.2 udp dport 16384-32768',
      'ip6 daddr 2001:db8::2 udp dport 16384-32768',
      'ip daddr 10.9.0.2 tcp dport 5349',
      'ip6 daddr 2001:db8::1 udp dport 3478',
      'ip daddr 192.0.2.7 tcp dport 443',
      'ip daddr 198.51.100.0/24 udp dport 16384-32768',
      'ip6 daddr fd00::/8 udp dport 16384-32768',
      'ip daddr 192.0.2.53 udp dport 53',
      'ip daddr 192.0.2.53 tcp dport 53',
    ]);
    expect(written()).toMatch(/^# live\.example\.org has no address now/m);
  });

  it('knows a server on a port of its own', () => {
    const config = configOf({ url: 'http://bbb.example.org:8090/bigbluebutton/api' });
    const accepted = acceptedIn(written({ config, addresses: new Map([['bbb.example.org', ['10.9.0.2']]]), dns: [] }));
    expect(accepted.filter((rule) => rule.includes('tcp')).map((rule) => rule.split(' ').at(-1))).toEqual([
      '8090',
      '443',
      '80',
    ]);
  });

  it('lets links be opened that lead elsewhere', () => {
    const joinOrigins = ['https://rooms.example.org'];
    const addresses = new Map([['rooms.example.org', ['10.9.0.5']]]);
    expect(acceptedIn(written({ config: configOf({ joinOrigins }), addresses, dns: [] }))).toEqual([
      'ip daddr 10.9.0.5 tcp dport 443',
      'ip daddr 10.9.0.5 tcp dport 80',
      'ip daddr 10.9.0.5 udp dport 16384-32768',
    ]);
  });

  const VARIANTS: [string, Partial<EgressOptions>][] = [
    ['for all', {}],
    ['for a user', { user: 'nobody' }],
    ['for a number', { user: '1234' }],
    ['with networks', { media: ['198.51.100.0/24', 'fd00::/8'] }],
    ['with a long name', { config: configOf({ url: `https://${'a'.repeat(60)}.${'b'.repeat(60)}.example/api` }) }],
  ];
  it.skipIf(!hasNamespaces).each(VARIANTS)('writes what nft takes, twice too: %s', async (_name, more) => {
    const file = join(directory, 'rules');
    const addresses = new Map<string, readonly string[]>([
      ...ADDRESSES,
      ...egressNames(more.config ?? configOf({})).map((name) => [name, ['10.9.0.4']] as [string, string[]]),
    ]);
    await writeFile(file, written({ ...more, addresses }));
    const script = `nft -c -f ${file}; nft -f ${file}; nft -f ${file}; test $(nft list ruleset | grep -c "policy drop") = 1`;
    const { status, stderr } = spawnSync('unshare', ['-rn', 'sh', '-ec', script], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  });

  it.skipIf(!hasNamespaces)('keeps packets from where they should not go', async () => {
    const RULES = join(directory, 'packets');
    await writeFile(RULES, written());
    const { stdout, stderr } = spawnSync('unshare', ['-rn', 'sh', '-c', BETWEEN_TWO_MACHINES], {
      encoding: 'utf8',
      timeout: 18_000,
      env: { ...process.env, RULES, NODE: process.execPath, ANSWER, ASK },
    });
    expect(stdout, stderr).toBe('[true,false,false,false,false]\n');
  });
});
