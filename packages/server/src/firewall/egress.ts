import { isIPv6 } from 'node:net';
import { MEDIA_PORTS } from '@sluice/bbb-capture';
import { type Config, parseIceUrl } from '@sluice/core';
import { nftRule } from './nft.js';
import type { Rule } from './rules.js';

/** What captures may reach: where it is, and in which words it is explained. */
export interface EgressOptions {
  readonly config: Config;
  /** The addresses of each name in the configuration. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** DNS servers; those on this machine need no rule. */
  readonly dns: readonly string[];
  /** Addresses or CIDR blocks that BigBlueButton's media comes from, beside those of its name. */
  readonly media: readonly string[];
  /** A user's name or number: the rules are for its programs alone. */
  readonly user: string | undefined;
}

interface Place {
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly ports: string;
  readonly comment: string;
}

const USUAL_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'rtmp:': 1935, 'rtmps:': 443 };
/** nft takes no longer ones. */
const MOST_COMMENT = 120;
const MEDIA = `${MEDIA_PORTS.first}-${MEDIA_PORTS.last}`;

/** Names and addresses in the configuration that captures reach. Each is to be looked up. */
export function egressNames(config: Config): string[] {
  return [...new Set(placesOf(config).map(({ name }) => name))];
}

/** Rules for what captures send, for `nft -f`: a table of its own, which takes the place of the one from before. */
export function writeEgress(options: EgressOptions): string {
  const { config, addresses, user } = options;
  const rules = rulesOf(options);
  const unknown = egressNames(config).filter((name) => (addresses.get(name) ?? []).length === 0);
  const remarks = [
    'Names were looked up when this was made: make it again, and load it, when an address changes.',
    'BigBlueButton may send media from other addresses than that of its name: --media lets them be reached.',
    'Sluice’s own requests to elsewhere (relays, callbacks, STUN) are kept back, too, where its user or its machine is the same.',
    ...unknown.map((name) => `${name} has no address now: nothing lets it be reached.`),
  ];
  const scope =
    user === undefined
      ? ['# All programs of this machine, or of this container.']
      : [
          '# The programs of others go where they like.',
          `meta skuid != ${/^\d+$/.test(user) ? user : `"${user}"`} accept`,
        ];
  return `#!/usr/sbin/nft -f
# Made by \`sluice bbb firewall\`. To try it: nft -c -f FILE. To load it: nft -f FILE. To be without it: nft delete table inet sluice_bbb
${remarks.map((remark) => `# ${remark}\n`).join('')}
# Makes it if there is none, so that it can be deleted: loading it twice is loading it once.
table inet sluice_bbb
delete table inet sluice_bbb

table inet sluice_bbb {
  chain output {
    type filter hook output priority filter; policy drop;

${scope.map((line) => `    ${line}\n`).join('')}
    ct state established,related accept
    # The publisher, the browser and the resolver of this machine.
    oif lo accept
    # IPv6 finds its neighbours and routers by these (RFC 4890 4.4.1).
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report } accept

${rules.map((rule) => `    ${nftRule(rule)}\n`).join('')}
    # Said at once, so that nothing waits for an answer.
    counter reject with icmpx admin-prohibited
  }
}
`;
}

function rulesOf({ config, addresses, dns, media }: EgressOptions): Rule[] {
  const rules: Rule[] = [];
  for (const { name, protocol, ports, comment } of placesOf(config)) {
    for (const address of addresses.get(name) ?? []) rules.push(ruleTo(address, protocol, ports, comment));
  }
  for (const network of media) rules.push(ruleTo(network, 'udp', MEDIA, 'BigBlueButton: media'));
  for (const address of dns) {
    for (const protocol of ['udp', 'tcp'] as const) rules.push(ruleTo(address, protocol, '53', 'DNS'));
  }
  const known = new Map(rules.map((rule) => [`${rule.protocol} ${rule.to} ${rule.ports}`, rule]));
  return [...known.values()];
}

function ruleTo(to: string, protocol: Rule['protocol'], ports: string, comment: string): Rule {
  const family = isIPv6(to.split('/')[0] ?? '') ? 'ipv6' : 'ipv4';
  return { protocol, ports, family, from: undefined, to, comment: comment.slice(0, MOST_COMMENT) };
}

function placesOf({ bbb }: Config): Place[] {
  const places: Place[] = [];
  // What a ready link leads to may be a BigBlueButton itself.
  for (const server of [...(bbb.url === undefined ? [] : [bbb.url]), ...bbb.joinOrigins]) {
    const { name, port } = hostAndPort(server);
    const comment = `BigBlueButton ${name}`;
    // Links lead from HTTP on to HTTPS.
    for (const own of new Set([port, 443, 80])) places.push({ name, protocol: 'tcp', ports: String(own), comment });
    places.push({ name, protocol: 'udp', ports: MEDIA, comment: `${comment}: media` });
  }
  for (const url of bbb.iceServers) {
    const server = parseIceUrl(url);
    if (server === undefined) continue;
    const { host: name, transport: protocol, port, scheme } = server;
    places.push({ name, protocol, ports: String(port), comment: `${scheme.toUpperCase()} ${name}` });
  }
  for (const target of bbb.targets) {
    if (!URL.canParse(target)) continue;
    const { name, port } = hostAndPort(target);
    places.push({ name, protocol: 'tcp', ports: String(port), comment: `target ${name}` });
  }
  return places;
}

function hostAndPort(text: string): { name: string; port: number } {
  const { hostname, port, protocol } = new URL(text);
  const name = hostname.replace(/^\[|\]$/g, '');
  return { name, port: port === '' ? (USUAL_PORT[protocol] ?? 443) : Number(port) };
}
