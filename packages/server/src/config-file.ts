import { existsSync, readFileSync } from 'node:fs';
import { ConfigError, type ConfigSources } from '@sluice/core';

/** Looked for in the working directory when no file is named. */
const DEFAULT_CONFIG_FILE = 'sluice.yml';

/**
 * Reads the file and the environment that a configuration is made of.
 *
 * @param file as the command line named it; else `SLUICE_CONFIG`; else `sluice.yml`, if there is one
 * @throws {ConfigError} where the file can't be read
 */
export function readConfigFile(file: string | undefined, environment: NodeJS.ProcessEnv): ConfigSources {
  const named = file ?? environment.SLUICE_CONFIG;
  const name = named ?? (existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined);
  if (name === undefined) return { environment };
  try {
    return { file: { name, text: readFileSync(name, 'utf8') }, environment };
  } catch (error) {
    throw new ConfigError(name, [`the file can't be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}
