import { parseArgs } from 'node:util';
import { type ExternalTarget, parseExternalTarget } from './targets/external.js';
import { PROTOCOLS, type Protocol } from './targets/target.js';

export const HELP = `Measures live servers: what it costs them to serve one stream to many viewers, and how late the viewers are.

npm run bench -- [options]

  --viewers N[,N…]      viewers of the fan-out measurement (2000); 0 leaves it out
  --protocol P[,P]      flv (HTTP-FLV), rtmp (flv)
  --seconds S           length of each measurement (15)
  --warm-up S           time between the last viewer's joining and the measurement (4)
  --targets T[,T…]      sluice, sluice-guarded, node-media-server, nginx-rtmp (all)
  --workers N[,N…]      also: sluice with so many worker processes, on all cores
  --target NAME=PUBLISH_URL,PLAY_URL,PID
                        a server that runs already; may be given again, --targets then defaults to none
  --idle N              also: memory of N viewers of a stream that is all but silent
  --ttff N              also: time to first frame of N viewers that join at random moments
  --ttff-background N   viewers that are there while they join (0)
  --cross-check FILE    also: run another meter on each server, and compare (see README.md)
  --json FILE           write all figures as JSON
  --results             render bench/RESULTS.md
  --help
`;

export interface BenchOptions {
  readonly help: boolean;
  readonly viewers: readonly number[];
  readonly protocols: readonly Protocol[];
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly targets: readonly string[];
  readonly workers: readonly number[];
  readonly external: readonly ExternalTarget[];
  readonly idle: number;
  readonly ttff: number;
  readonly ttffBackground: number;
  readonly crossCheck?: string;
  readonly json?: string;
  readonly results: boolean;
}

/** @throws naming the option that can't be used */
export function parseCommandLine(args: readonly string[], knownTargets: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      viewers: { type: 'string', default: '2000' },
      protocol: { type: 'string', default: 'flv' },
      seconds: { type: 'string', default: '15' },
      'warm-up': { type: 'string', default: '4' },
      targets: { type: 'string' },
      workers: { type: 'string', default: '' },
      target: { type: 'string', multiple: true, default: [] },
      idle: { type: 'string', default: '0' },
      ttff: { type: 'string', default: '0' },
      'ttff-background': { type: 'string', default: '0' },
      'cross-check': { type: 'string' },
      json: { type: 'string' },
      results: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const external = values.target.map(parseExternalTarget);
  const defaultTargets = external.length > 0 ? [] : knownTargets;
  const { 'cross-check': crossCheck, json } = values;
  return {
    help: values.help,
    viewers: list(values.viewers)
      .map((text) => count('--viewers', text))
      .filter((viewers) => viewers > 0),
    protocols: list(values.protocol).map((text) => oneOf('--protocol', text, PROTOCOLS)),
    seconds: count('--seconds', values.seconds),
    warmUpSeconds: count('--warm-up', values['warm-up']),
    targets:
      values.targets === undefined
        ? defaultTargets
        : list(values.targets).map((text) => oneOf('--targets', text, knownTargets)),
    workers: list(values.workers).map((text) => count('--workers', text)),
    external,
    idle: count('--idle', values.idle),
    ttff: count('--ttff', values.ttff),
    ttffBackground: count('--ttff-background', values['ttff-background']),
    ...(crossCheck === undefined ? {} : { crossCheck }),
    ...(json === undefined ? {} : { json }),
    results: values.results,
  };
}

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function count(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${option} ${text}: write a whole number`);
  return Number(text);
}

function oneOf<T extends string>(option: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new Error(`${option} ${text}: write ${allowed.join(', ')} or several, with commas`);
  return found;
}
