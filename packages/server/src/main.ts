import { ConfigError, TOKEN_KINDS } from '@sluice/core';
import { Command, Option } from 'commander';
import { addBbbCommands } from './cli/bbb.js';
import { lazily } from './cli/lazily.js';
import { FIREWALL_FORMATS } from './firewall/formats.js';
import { StartError } from './start-error.js';
import { VERSION } from './version.js';

/** 1: it failed while running. 2: something that the operator gave it can't be used. */
const EXIT = { failed: 1, unusable: 2 } as const;

const CONFIG_OPTION = ['-c, --config <file>', 'configuration file (default: sluice.yml, where there is one)'] as const;

const program = new Command('sluice')
  .description('A live media server: RTMP and SRT in; HLS, HTTP-FLV, WebSocket-FLV, RTMP and SRT out.')
  .version(VERSION, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .showHelpAfterError('(sluice --help tells more)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT.unusable));

program
  .command('serve', { isDefault: true })
  .description('run the server')
  .option(...CONFIG_OPTION)
  .option('--demo', 'publish a looping sample as live/demo')
  .action(lazily(async () => (await import('./cli/serve.js')).serve));

program
  .command('drain')
  .description('take a server out of service: hand everybody on, finish recordings, end it; waits until it has ended')
  .option(...CONFIG_OPTION)
  .option('--server <url>', 'the API of the Sluice that is meant (default: the one that runs, as configured here)')
  .option('--viewers <duration>', 'over how long viewers are sent away (default: drain.viewerSeconds)')
  .option('--publishers <duration>', 'how long publishers may take to leave (default: drain.publisherSeconds)')
  .option('--no-wait', 'come back at once')
  .action(lazily(async () => (await import('./cli/drain.js')).drain));

program
  .command('check-config')
  .description('say whether a configuration can be used')
  .option(...CONFIG_OPTION)
  .option('--print', 'print it with all defaults put in')
  .action(lazily(async () => (await import('./cli/check-config.js')).checkConfig));

program
  .command('token <path>')
  .description('make a token for a stream (or a pattern: live/*), and print what goes behind its URL')
  .option(...CONFIG_OPTION)
  .addOption(new Option('-k, --kind <kind>', 'kind of token').choices(TOKEN_KINDS).default('sign'))
  .addOption(new Option('-a, --action <action>', 'what for').choices(['publish', 'play']).default('play'))
  .option('-v, --viewer <id>', 'the account that it is for')
  .option('--ip <network>', 'the address or CIDR block from which it holds')
  .option('--valid <duration>', 'how long one can begin with it: 90s, 15m, 3h, 7d', '1h')
  .option('--session-end <duration>', 'when its sessions end, from now on (default: never; jwt: with the token)')
  .action(lazily(async () => (await import('./cli/token.js')).token));

program
  .command('set-password <user>')
  .description('set a user’s password while the server is stopped: from standard input, or a new one that is printed')
  .option(...CONFIG_OPTION)
  .action(lazily(async () => (await import('./cli/set-password.js')).setPassword));

program
  .command('doctor')
  .description('say what is in the way of viewers and publishers, and what to do about it')
  .option(...CONFIG_OPTION)
  .option('--json', 'for machines')
  .addOption(new Option('--listen', 'send probes back on all ports, while Sluice is stopped').conflicts('probe'))
  .option('--probe <host>', 'say which ports of another machine, where --listen runs, can be reached from here')
  .option('--port <port>', 'with --listen and --probe: this port, UDP and TCP, and no other')
  .option('--for <duration>', 'with --listen: for so long (default: until it is stopped)')
  .action(lazily(async () => (await import('./cli/doctor.js')).doctor));

program
  .command('recordings')
  .description('look after recordings')
  .command('check')
  .description('compare the index of recordings with the disk; entries are set right')
  .option(...CONFIG_OPTION)
  .option('--repair', 'cut off what cannot be played, finish what a crash left, and index files that are not known')
  .option('--checksums', 'read every file from beginning to end')
  .option('--server <url>', 'the API of the Sluice that does it (default: the one that runs, as configured here)')
  .option('--json', 'for machines')
  .action(lazily(async () => (await import('./cli/check-recordings.js')).checkRecordings));

program
  .command('firewall')
  .description('print firewall rules that let in what the configuration opens, SSH, and nothing else')
  .option(...CONFIG_OPTION)
  .addOption(new Option('-f, --format <format>', 'for which firewall').choices(FIREWALL_FORMATS).default('nft'))
  .option('--ssh-port <port>', 'the port of SSH, which stays open', '22')
  .action(lazily(async () => (await import('./cli/firewall.js')).firewall));

program
  .command('turn-config')
  .description('print a turnserver.conf for coturn, made from the configuration')
  .option(...CONFIG_OPTION)
  .action(lazily(async () => (await import('./cli/turn-config.js')).turnConfig));

addBbbCommands(program, CONFIG_OPTION);

program
  .command('config-reference')
  .description('print everything that can be configured, as a Markdown table')
  .action(lazily(async () => (await import('./cli/check-config.js')).printConfigReference));

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
  const own = error instanceof StartError ? error.exitCode : undefined;
  process.exitCode = own ?? (isOperators ? EXIT.unusable : EXIT.failed);
}
