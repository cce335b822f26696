#!/usr/bin/env node
import { ConfigError } from '@sluice/core';
import { Command } from 'commander';
import { checkConfig, configReference } from './cli/check-config.js';
import { serve } from './cli/serve.js';
import { StartError } from './start-error.js';
import { VERSION } from './version.js';

/** 1: it failed while running. 2: something that the operator gave it can't be used. */
const EXIT = { failed: 1, unusable: 2 } as const;

const CONFIG_OPTION = ['-c, --config <file>', 'configuration file (default: sluice.yml, where there is one)'] as const;

const program = new Command('sluice')
  .description('A live media server: RTMP in; HLS, HTTP-FLV, WebSocket-FLV and RTMP out.')
  .version(VERSION, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .showHelpAfterError('(sluice --help tells more)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.unusable));

program
  .command('serve', { isDefault: true })
  .description('run the server')
  .option(...CONFIG_OPTION)
  .option('--demo', 'publish a looping sample as live/demo')
  .action(serve);

program
  .command('check-config')
  .description('say whether a configuration can be used')
  .option(...CONFIG_OPTION)
  .option('--print', 'print it with all defaults put in')
  .action(checkConfig);

program
  .command('config-reference')
  .description('print everything that can be configured, as a Markdown table')
  .action(() => void process.stdout.write(`${configReference()}\n`));

program
  .command('version')
  .description('print the version')
  .action(() => void process.stdout.write(`${VERSION}\n`));

try {
  await program.parseAsync();
} catch (error) {
  const isOperators = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(
    `sluice: ${isOperators ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
  );
  process.exitCode = isOperators ? EXIT.unusable : EXIT.failed;
}
