import { existsSync, readFileSync } from 'node:fs';
import { type Config, ConfigError, loadConfig } from '@sluice/core';

/** Looked for in the working directory when no file is named. */
export const DEFAULT_CONFIG_FILE = 'sluice.yml';

/**
 * The configuration from a file and the environment.
 *
 * @param file as the command line named it; else `SLUICE_CONFIG`; else `sluice.yml`, if there is one
 * @throws {ConfigError} where it can't be read or used
 */
export function loadConfigFile(file: string | undefined, environment: NodeJS.ProcessEnv): Config {
  const named = file ?? environment.SLUICE_CONFIG;
  const name = named ?? (existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined);
  if (name === undefined) return loadConfig({ environment });
  let text: string;
  try {
    text = readFileSync(name, 'utf8');
  } catch (error) {
    throw new ConfigError(name, [`the file can't be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
  return loadConfig({ file: { name, text }, environment });
}
