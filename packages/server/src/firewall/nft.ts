import type { Rule, Ruleset } from './rules.js';

/** For `nft -f`: a table of its own, which takes the place of the one from before. Rules of others stay. */
export function writeNft({ rules, remarks }: Ruleset): string {
  return `#!/usr/sbin/nft -f
# Made by \`sluice firewall\`. To try it: nft -c -f FILE. To load it: nft -f FILE. To be without it: nft delete table inet sluice
${remarks.map((remark) => `# ${remark}\n`).join('')}
# Makes it if there is none, so that it can be deleted: loading it twice is loading it once.
table inet sluice
delete table inet sluice

table inet sluice {
  chain input {
    # What this table lets in, another one can still drop.
    type filter hook input priority filter; policy drop;

    ct state established,related accept
    ct state invalid drop
    iif lo accept

    # Without packet-too-big and fragmentation-needed, large packets vanish; the rest is how hosts find out about faults.
    icmp type { destination-unreachable, time-exceeded, parameter-problem, echo-request } accept
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request } accept
    # IPv6 finds its neighbours and routers by these (RFC 4890 4.4.1); they come from the same link only.
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept
    icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept
    # DHCP: answers that no connection is known for.
    udp sport 67 udp dport 68 accept
    ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept

${rules.map((rule) => `    ${nftRule(rule)}\n`).join('')}  }
}
`;
}

/** A rule as nft writes it, without the line's indent. */
export function nftRule({ protocol, ports, family, from, to, comment }: Rule): string {
  const ip = family === 'ipv6' ? 'ip6' : 'ip';
  const parts: string[] = [];
  if (from !== undefined) parts.push(`${ip} saddr ${from}`);
  if (to !== undefined) parts.push(`${ip} daddr ${to}`);
  if (parts.length === 0 && family !== undefined) parts.push(`meta nfproto ${family}`);
  return `${[...parts, protocol, 'dport', ports].join(' ')} accept comment "${comment}"`;
}
