import { setTimeout as pause } from 'node:timers/promises';
import { type Config, resolveConfig } from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { StartError } from '../start-error.js';
import { askControlApi, controlApiOf, toldBy } from './control-api.js';
import { parseDuration } from './duration.js';

const ASK_AGAIN_MS = 500;

export interface DrainCommandOptions {
  readonly config?: string;
  readonly server?: string;
  readonly viewers?: string;
  readonly publishers?: string;
  readonly wait: boolean;
}

interface Told {
  readonly state: 'serving' | 'draining' | 'drained';
  readonly publishers: number;
  readonly viewers: number;
}

/** `sluice drain`: has a server hand everybody on, and waits until it has ended. */
export async function drain(options: DrainCommandOptions): Promise<void> {
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const server = options.server ?? controlApiOf(config);
  if (server === undefined) {
    throw new StartError("the server's API can't be told from the configuration: name it by --server http://…");
  }
  const body = JSON.stringify({
    ...(options.viewers === undefined ? {} : { viewerSeconds: parseDuration('--viewers', options.viewers) }),
    ...(options.publishers === undefined
      ? {}
      : { publisherSeconds: parseDuration('--publishers', options.publishers) }),
  });
  let told: Told | undefined = await ask(config, server, { method: 'POST', body });
  say(told);
  if (!options.wait) return;
  while (told !== undefined) {
    await pause(ASK_AGAIN_MS);
    const before: Told = told;
    told = await ask(config, server, {}).catch((error: unknown) => gone(error));
    if (told !== undefined && said(told) !== said(before)) say(told);
  }
  process.stdout.write('it has ended\n');
}

const said = ({ state, publishers, viewers }: Told): string =>
  `${state}: ${publishers} publishers, ${viewers} viewers with connections`;

function say(told: Told): void {
  process.stdout.write(`${said(told)}\n`);
}

/** Its API is the last thing to go. */
function gone(error: unknown): undefined {
  if (error instanceof UnreachableError) return undefined;
  throw error;
}

class UnreachableError extends StartError {}

async function ask(config: Config, server: string, request: RequestInit): Promise<Told> {
  const url = `${server.replace(/\/+$/, '')}/api/v2/drain`;
  const { status, body } = await askControlApi(config, url, {
    request,
    scopes: 'the scope admin',
    unreachable: (cause) => {
      throw new UnreachableError(`no Sluice answers at ${url} (${cause}): name its API by --server http://…`);
    },
  });
  if (isTold(body)) return body;
  throw new StartError(`the Sluice at ${url} can't do it (${status}): ${toldBy(body)}`);
}

function isTold(body: unknown): body is Told {
  const { state, publishers } = (body ?? {}) as Partial<Told>;
  return (state === 'serving' || state === 'draining' || state === 'drained') && typeof publishers === 'number';
}
