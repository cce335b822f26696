import { isWell, jsonReport, resolveConfig, textReport } from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { diagnose } from '../doctor/diagnose.js';
import { probe } from '../doctor/probe.js';
import { type Door, doorsOf, isOnLoopback } from '../network/doors.js';
import { StartError } from '../start-error.js';
import { echoProbes } from './echo-probes.js';
import { parsePort } from './port-option.js';

export interface DoctorOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly listen?: boolean;
  readonly probe?: string;
  readonly port?: string;
  readonly for?: string;
}

/** `sluice doctor`: says what is in the way of viewers and publishers, and what to do about it. */
export async function doctor(options: DoctorOptions): Promise<void> {
  if (options.port !== undefined && options.listen !== true && options.probe === undefined) {
    throw new StartError('--port goes with --listen or --probe');
  }
  if (options.for !== undefined && options.listen !== true) throw new StartError('--for goes with --listen');
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const doors = options.port === undefined ? remoteDoors(doorsOf(config)) : portDoors(options.port);
  if (options.listen === true) {
    await echoProbes(doors, options);
    return;
  }
  const findings =
    options.probe === undefined
      ? await diagnose({ config, environment: process.env, wallClock: () => new Date() })
      : await probe(options.probe, doors);
  process.stdout.write(options.json === true ? jsonReport(findings) : textReport(findings));
  process.exitCode = isWell(findings) ? 0 : 1;
}

/** Those that can be reached from elsewhere. */
function remoteDoors(doors: readonly Door[]): Door[] {
  return doors.filter((door) => door.port !== 0 && !isOnLoopback(door));
}

function portDoors(text: string): Door[] {
  const port = parsePort('--port', text);
  const door = { name: 'port', key: '--port', port, host: '::', users: 'both' } as const;
  return [
    { ...door, protocol: 'udp' },
    { ...door, protocol: 'tcp' },
  ];
}
