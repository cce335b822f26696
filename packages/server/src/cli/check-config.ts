import { configEntries } from '@sluice/core';
import { stringify } from 'yaml';
import { loadConfigFile } from './load-config-file.js';

/** `sluice check-config`: says whether a configuration can be used, and what it comes to. */
export function checkConfig(options: { config?: string; print?: boolean }): void {
  const config = loadConfigFile(options.config, process.env);
  process.stdout.write(options.print === true ? stringify(config) : 'The configuration can be used.\n');
}

/** `sluice config-reference`: everything that can be configured, as a Markdown table. */
export function configReference(): string {
  const rows = configEntries().map(({ key, environment, allowed, default: value, description }) => {
    const shown = value === undefined ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
    return `| \`${key}\` | ${environment === undefined ? '' : `\`${environment}\``} | ${shown} | ${allowed} | ${description} |`;
  });
  return ['| key | environment | default | allowed | what it does |', '|---|---|---|---|---|', ...rows].join('\n');
}
