import type { Rule, Ruleset } from './rules.js';

/**
 * For `iptables-restore --noflush` and `ip6tables-restore --noflush`, the same file for both: each leaves out the rules
 * of the other family.
 */
export function writeIptables({ rules, remarks }: Ruleset): string {
  return `# Made by \`sluice firewall\`, for IPv4 and IPv6:
#   iptables-restore --noflush FILE && ip6tables-restore --noflush FILE
# It takes the place of what is in INPUT (fail2ban: restart it); FORWARD and the chains of others (Docker) stay.
${remarks.map((remark) => `# ${remark}\n`).join('')}*filter
:INPUT DROP [0:0]
-F INPUT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -i lo -j ACCEPT
# Without packet-too-big and fragmentation-needed, large packets vanish; the rest is how hosts find out about faults.
${lines('-4', 'icmp', 'icmp', ['destination-unreachable', 'time-exceeded', 'parameter-problem', 'echo-request'])}
${lines('-6', 'icmpv6', 'icmpv6', ['destination-unreachable', 'packet-too-big', 'time-exceeded', 'parameter-problem', 'echo-request'])}
# IPv6 finds its neighbours and routers by these (RFC 4890 4.4.1); they come from the same link only.
${lines('-6', 'icmpv6', 'icmpv6', ['router-advertisement', 'neighbour-solicitation', 'neighbour-advertisement'], '-m hl --hl-eq 255 ')}
-6 -A INPUT -p icmpv6 --icmpv6-type 130 -s fe80::/10 -j ACCEPT
# DHCP: answers that no connection is known for.
-4 -A INPUT -p udp --sport 67 --dport 68 -j ACCEPT
-6 -A INPUT -s fe80::/10 -p udp --sport 547 --dport 546 -j ACCEPT
${rules.map((rule) => `${iptablesRule(rule)}\n`).join('')}COMMIT
`;
}

function lines(family: string, protocol: string, match: string, types: readonly string[], more = ''): string {
  return types.map((type) => `${family} -A INPUT -p ${protocol} --${match}-type ${type} ${more}-j ACCEPT`).join('\n');
}

function iptablesRule({ protocol, ports, family, from, to, comment }: Rule): string {
  const parts = ['-A INPUT'];
  if (family !== undefined) parts.unshift(family === 'ipv4' ? '-4' : '-6');
  if (from !== undefined) parts.push(`-s ${from}`);
  if (to !== undefined) parts.push(`-d ${to}`);
  return [
    ...parts,
    `-p ${protocol} --dport ${ports.replace('-', ':')}`,
    `-m comment --comment "${comment}"`,
    '-j ACCEPT',
  ].join(' ');
}
