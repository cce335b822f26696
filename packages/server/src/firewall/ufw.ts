import type { Rule, Ruleset } from './rules.js';

/** Commands for a shell. What is established, loopback and ICMP, ufw lets in by itself. */
export function writeUfw({ rules, remarks }: Ruleset): string {
  return `#!/bin/sh
# Made by \`sluice firewall\`. Run it as root; it changes nothing but what it names.
${remarks.map((remark) => `# ${remark}\n`).join('')}set -e
ufw default deny incoming
${rules.map((rule) => `${ufwRule(rule)}\n`).join('')}# ufw is off until it is told otherwise; with this it stays on over restarts:
# ufw enable
`;
}

function ufwRule({ protocol, ports, family, from, to, comment }: Rule): string {
  const any = family === 'ipv4' ? '0.0.0.0/0' : 'any';
  return `ufw allow proto ${protocol} from ${from ?? any} to ${to ?? any} port ${ports.replace('-', ':')} comment '${comment}'`;
}
