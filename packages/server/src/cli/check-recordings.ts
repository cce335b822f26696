import { setTimeout as pause } from 'node:timers/promises';
import {
  type Config,
  EventBus,
  type RecordingCheckOptions,
  type RecordingFinding,
  resolveConfig,
  systemClock,
} from '@sluice/core';
import { RecordingChecker, RecordingDisk, Storage, StorageError } from '@sluice/storage';
import { readConfigFile } from '../config-file.js';
import { createLogger } from '../logging.js';
import { recordingRoot } from '../recording-root.js';
import { StartError } from '../start-error.js';
import { type CheckReport, jsonCheckReport, textCheckReport } from './check-report.js';
import { askControlApi, controlApiOf, toldBy } from './control-api.js';

const ASK_AGAIN_MS = 500;

export interface CheckRecordingsOptions {
  readonly config?: string;
  readonly repair?: boolean;
  readonly checksums?: boolean;
  readonly server?: string;
  readonly json?: boolean;
}

/**
 * `sluice recordings check`: says where the index of recordings and the disk don't agree. The database belongs to one
 * process: where a server runs, that one does it, and is asked by its API.
 */
export async function checkRecordings(options: CheckRecordingsOptions): Promise<void> {
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const asked = { repair: options.repair === true, checksums: options.checksums === true };
  const storage = options.server === undefined ? await ownStorage(config) : undefined;
  const report = await (storage === undefined
    ? remoteCheck(config, options.server, asked)
    : ownCheck(config, storage, asked));
  process.stdout.write(options.json === true ? jsonCheckReport(report) : textCheckReport(report));
  process.exitCode = isWell(report) ? 0 : 1;
}

function isWell({ failure, findings, unlisted }: CheckReport): boolean {
  return failure === null && unlisted === 0 && findings.every(({ repaired }) => repaired);
}

/** @returns undefined where a server has it */
async function ownStorage(config: Config): Promise<Storage | undefined> {
  try {
    return await Storage.open({ dir: config.data.dir, log: logOf(config) });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === 'in-use') return undefined;
    throw new StartError(error.message);
  }
}

const logOf = (config: Config) => createLogger({ ...config.log, output: process.stderr });

async function ownCheck(config: Config, storage: Storage, asked: RecordingCheckOptions): Promise<CheckReport> {
  const log = logOf(config);
  const disk = RecordingDisk.start({ root: recordingRoot(config), maxWaitingBytes: () => 0, log });
  const checker = new RecordingChecker({
    ...{ index: storage.recordings, disk, events: new EventBus(log) },
    isInWork: () => false,
    config: () => config,
    now: systemClock.wall,
  });
  const stop = () => {
    void checker.close();
    void disk.close();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    checker.begin(asked);
    await checker.whenDone();
    const run = checker.last;
    if (run === undefined) throw new StartError('the check could not begin');
    return { ...run, failure: run.failure ?? null };
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await disk.close();
    await storage.close();
  }
}

/** What the routes of checks answer, as far as it is needed here. */
interface RemoteRun {
  readonly state: 'running' | 'done' | 'failed';
  readonly files: number;
  readonly bytes: number;
  readonly findings: readonly RecordingFinding[];
  readonly unlisted: number;
  readonly failure: string | null;
}

async function remoteCheck(
  config: Config,
  server: string | undefined,
  asked: RecordingCheckOptions,
): Promise<CheckReport> {
  const url = `${server ?? apiOf(config)}/api/v2/recordings/check`;
  let run = await ask(config, url, { method: 'POST', body: JSON.stringify(asked) });
  while (run.state === 'running') {
    await pause(ASK_AGAIN_MS);
    run = await ask(config, url, {});
  }
  return run;
}

function apiOf(config: Config): string {
  const url = controlApiOf(config);
  if (url !== undefined) return url;
  throw new StartError(
    `a Sluice runs with data.dir ${config.data.dir}, and its API can't be told from the configuration: stop it first, or name its API by --server http://…`,
  );
}

async function ask(config: Config, url: string, request: RequestInit): Promise<RemoteRun> {
  const { status, body } = await askControlApi(config, url, {
    request,
    scopes: 'the scopes read and sessions',
    unreachable: (cause) =>
      `a Sluice runs with data.dir ${config.data.dir}, and its API doesn't answer at ${url} (${cause}): stop it first, or name its API by --server http://…`,
  });
  if (isRun(body)) return body;
  throw new StartError(`the Sluice at ${url} can't do it (${status}): ${toldBy(body)}`);
}

function isRun(answer: unknown): answer is RemoteRun {
  const { state, findings } = (answer ?? {}) as Partial<RemoteRun>;
  return (state === 'running' || state === 'done' || state === 'failed') && Array.isArray(findings);
}
