import type { Command } from 'commander';
import { Option } from 'commander';
import { lazily } from './lazily.js';

/** `sluice bbb …`: what has to do with BigBlueButton. @param configOption flags and description of `--config` */
export function addBbbCommands(program: Command, configOption: readonly [string, string]): void {
  const bbb = program.command('bbb').description('meetings of BigBlueButton');

  bbb
    .command('start')
    .description('capture one meeting, until it ends or this is stopped; the exit code says how it ended')
    .option(...configOption)
    .requiredOption('-m, --meeting <id>', 'the meeting’s ID')
    .option('-t, --to <target>', 'a stream of the server here (live/show), or an RTMP URL of bbb.targets')
    .option('--to-file <file>', 'a file with the target, for one that holds a key: arguments can be seen by others')
    .option('-p, --profile <name>', 'of bbb.profiles (default: default)')
    .option('-n, --name <name>', 'what the attendee is called')
    .option('--password-file <file>', 'a file with the meeting’s password for attendees')
    .option('--join-url-file <file>', 'a file with a ready link into the meeting')
    .option('--json', 'for machines: a line for each state')
    .action(lazily(async () => (await import('./bbb/start.js')).bbbStart));

  bbb
    .command('check')
    .description('say what is in the way between this machine, BigBlueButton and where meetings are published to')
    .option(...configOption)
    .option('--json', 'for machines')
    .option('--external-ip <address...>', 'addresses by which others reach BigBlueButton, to be tried from inside')
    .addOption(
      new Option(
        '--udp-listen',
        'send UDP probes back, on the machine of BigBlueButton while that is stopped',
      ).conflicts('udpSend'),
    )
    .option('--udp-send <host>', 'try the UDP ports of a machine where --udp-listen runs, too')
    .option('--udp-port <port...>', 'with --udp-listen and --udp-send: these ports (default: some of 16384 to 32768)')
    .option('--for <duration>', 'with --udp-listen: for so long (default: until it is stopped)')
    .action(lazily(async () => (await import('./bbb/check.js')).bbbCheck));

  bbb
    .command('firewall')
    .description(
      'print nftables rules that let captures reach BigBlueButton, TURN, RTMP targets, DNS, and nothing else',
    )
    .option(...configOption)
    .option('--user <name>', 'for this user’s programs alone (default: all of the machine, as in a container)')
    .option('--media <network...>', 'more addresses that media of BigBlueButton comes from')
    .option('--dns <address...>', 'DNS servers (default: those of this machine)')
    .action(lazily(async () => (await import('./bbb/firewall.js')).bbbFirewall));
}
