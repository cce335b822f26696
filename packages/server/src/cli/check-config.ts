import { ConfigSecrets, configEntries, LiveConfig, resolveConfig, type Setting } from '@sluice/core';
import { stringify } from 'yaml';
import { readConfigFile } from '../config-file.js';

/** `sluice check-config`: says whether a configuration can be used, and what it comes to. Secrets are not shown. */
export function checkConfig(options: { config?: string; print?: boolean }): void {
  const live = new LiveConfig(resolveConfig(readConfigFile(options.config, process.env)));
  process.stdout.write(
    options.print === true ? stringify(treeOf(live.settings())) : 'The configuration can be used.\n',
  );
}

interface Tree {
  [name: string]: unknown;
}

/** `rtmp.port` → `{ rtmp: { port } }`. */
function treeOf(settings: readonly Setting[]): Tree {
  const secrets = new ConfigSecrets();
  const tree: Tree = {};
  for (const { key, value } of settings) {
    const names = key.split('.');
    const last = names.pop() ?? '';
    let branch = tree;
    for (const name of names) {
      const next = (branch[name] ?? {}) as Tree;
      branch[name] = next;
      branch = next;
    }
    branch[last] = secrets.hidden(key.split('.'), value);
  }
  return tree;
}

/** `sluice config-reference`. */
export function printConfigReference(): void {
  process.stdout.write(`${configReference()}\n`);
}

/** Everything that can be configured, as a Markdown table. */
export function configReference(): string {
  const rows = configEntries().map(({ key, environment, allowed, default: value, description, restart }) => {
    const shown = value === undefined ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
    return `| \`${key}\` | ${environment === undefined ? '' : `\`${environment}\``} | ${shown} | ${allowed} | ${description}${restart ? ' _At the next start._' : ''} |`;
  });
  return ['| key | environment | default | allowed | what it does |', '|---|---|---|---|---|', ...rows].join('\n');
}
