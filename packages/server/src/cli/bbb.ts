import type { Command } from 'commander';
import { Option } from 'commander';
import { bbbCheck } from './bbb/check.js';
import { bbbFirewall } from './bbb/firewall.js';

/** `sluice bbb …`: what has to do with BigBlueButton. @param configOption flags and description of `--config` */
export function addBbbCommands(program: Command, configOption: readonly [string, string]): void {
  const bbb = program.command('bbb').description('meetings of BigBlueButton');

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
    .action(bbbCheck);

  bbb
    .command('firewall')
    .description(
      'print nftables rules that let captures reach BigBlueButton, TURN, RTMP targets, DNS, and nothing else',
    )
    .option(...configOption)
    .option('--user <name>', 'for this user’s programs alone (default: all of the machine, as in a container)')
    .option('--media <network...>', 'more addresses that media of BigBlueButton comes from')
    .option('--dns <address...>', 'DNS servers (default: those of this machine)')
    .action(bbbFirewall);
}
