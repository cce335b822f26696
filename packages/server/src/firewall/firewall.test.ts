import { loadConfig } from '@sluice/core';
import { describe, expect, it } from 'vitest';
import { writeIptables } from './iptables.js';
import { writeNft } from './nft.js';
import { firewallRules } from './rules.js';
import { writeUfw } from './ufw.js';

const TLS = { certFile: 'c', keyFile: 'k' };
const rulesFor = (settings: object, addresses: string[] = []) =>
  firewallRules({
    config: loadConfig({ file: { name: 'x', text: JSON.stringify(settings) } }),
    sshPort: 22,
    addresses,
  });
const doorsIn = (settings: object) => rulesFor(settings).rules.map(({ protocol, ports }) => `${protocol} ${ports}`);

describe('firewallRules', () => {
  it('lets in what the configuration opens, and nothing else', () => {
    const usual = ['tcp 22', 'tcp 1935', 'tcp 8080', 'udp 10080', 'udp 8000', 'tcp 8000'];
    expect(doorsIn({})).toEqual(usual);
    expect(doorsIn({ api: { host: '::' } })).toEqual([...usual, 'tcp 1985']);
    expect(doorsIn({ tls: TLS, api: { host: '::' } }).sort()).toEqual(
      [...usual, 'tcp 1443', 'tcp 8088', 'tcp 1985', 'tcp 1990'].sort(),
    );
    expect(doorsIn({ srt: { enabled: false }, webrtc: { enabled: false }, api: { enabled: false } })).toEqual(
      usual.slice(0, 3),
    );
    expect(doorsIn({ rtmp: { host: '127.0.0.1' }, http: { port: 80 }, srt: { host: '::1' } })).toEqual([
      'tcp 22',
      'tcp 80',
      'udp 8000',
      'tcp 8000',
    ]);
  });

  it('says what it left out and why', () => {
    const { remarks } = rulesFor({ rtmp: { port: 0 } });
    expect(remarks.join('\n')).toMatch(/api\.port 1985 .* left out: it listens on 127\.0\.0\.1 only/);
    expect(remarks.join('\n')).toMatch(/rtmp\.port is left out: it is 0.*SLUICE_RTMP_PORT/);
    const allow = rulesFor({ access: { publishAllow: ['192.0.2.0/24'], play: 'closed' } }).remarks.join('\n');
    expect(allow).toMatch(/Nobody may watch.*let in 192\.0\.2\.0\/24 alone/);
  });

  it('takes the API’s addresses, and the address that a door listens on, for what they are', () => {
    const { rules } = rulesFor({ api: { host: '::', allow: ['10.0.0.0/8', 'fd00::/8'] }, rtmp: { host: '0.0.0.0' } });
    const of = (port: string) => rules.filter(({ ports }) => ports === port);
    expect(of('1985')).toMatchObject([
      { family: 'ipv4', from: '10.0.0.0/8' },
      { family: 'ipv6', from: 'fd00::/8' },
    ]);
    expect(of('1935')).toMatchObject([{ family: 'ipv4', from: undefined, to: undefined }]);
    const own = rulesFor({ api: { host: '192.0.2.1', allow: ['10.0.0.0/8', 'fd00::/8'] } }).rules;
    expect(own.filter(({ ports }) => ports === '1985')).toMatchObject([{ from: '10.0.0.0/8', to: '192.0.2.1' }]);
  });

  it('names the ports of a TURN server, and where that is', () => {
    const webrtc = { iceServers: ['turn:192.0.2.9', 'turns:192.0.2.9:443'] };
    expect(rulesFor({ webrtc }).remarks.at(-1)).toMatch(/on its machine: it needs 3478, 443/);
    expect(rulesFor({ webrtc }, ['192.0.2.9']).remarks.at(-1)).toMatch(/on this machine: it needs 3478, 443/);
  });
});

describe.each([
  ['nft', writeNft, /^ {4}(?:ip6? \S+ \S+ |meta nfproto \S+ )?(tcp|udp) dport (\d+) accept/gm],
  ['iptables', writeIptables, /^(?:-[46] )?-A INPUT (?:-s \S+ )?-p (tcp|udp) --dport (\d+) -m comment/gm],
  ['ufw', writeUfw, /^ufw allow proto (tcp|udp) from \S+ to \S+ port (\d+) comment '[^']*'$/gm],
])('in the words of %s', (_name, write, line) => {
  it('has each rule, in a line', () => {
    const ruleset = rulesFor({ tls: TLS, api: { host: '::', allow: ['10.0.0.0/8', 'fd00::/8'] } });
    const found = [...write(ruleset).matchAll(line)].map(([, protocol, port]) => `${protocol} ${port}`);
    expect(found).toEqual(ruleset.rules.map(({ protocol, ports }) => `${protocol} ${ports}`));
  });
});
