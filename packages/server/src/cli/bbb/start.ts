import { readSecretFile, SecretFileError } from '@sluice/bbb-capture';
import {
  type CaptureFailure,
  type CaptureInfo,
  CaptureRefusal,
  type CaptureRequest,
  type CaptureState,
  findFfmpeg,
  resolveConfig,
  systemClock,
} from '@sluice/core';
import { makeCaptures } from '../../bbb.js';
import { readConfigFile } from '../../config-file.js';
import { createLogger } from '../../logging.js';
import { readSecrets } from '../../secrets.js';
import { StartError } from '../../start-error.js';

export interface BbbStartOptions {
  readonly config?: string;
  readonly meeting: string;
  readonly to?: string;
  readonly toFile?: string;
  readonly profile?: string;
  readonly name?: string;
  readonly passwordFile?: string;
  readonly joinUrlFile?: string;
  readonly json?: boolean;
}

/** What a capture's failure makes of the exit code; docs/bbb/operations.md has them for people. */
const EXIT_OF: Readonly<Record<CaptureFailure, number>> = {
  'wrong-secret': 10,
  'wrong-password': 11,
  'no-meeting': 12,
  'guest-denied': 13,
  'meeting-full': 14,
  'link-expired': 15,
  'meeting-ended-by-force': 16,
  removed: 17,
  refused: 18,
  unreachable: 20,
  'bad-answer': 21,
  'target-refused': 30,
  'target-not-allowed': 31,
  'no-browser': 40,
  'browser-failed': 41,
  'no-encoder': 42,
  'not-heard': 43,
  'too-long': 50,
  'over-limit': 51,
};
/** Of refusals that are no failure of a capture: what was given can't be used. */
const UNUSABLE = 2;

/** `sluice bbb start`: captures one meeting, until it ends or somebody stops it. */
export async function bbbStart(options: BbbStartOptions): Promise<void> {
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const log = createLogger({ ...config.log, output: process.stderr });
  const signing = config.auth.signing.secret ?? (await readSecrets(config.data.dir))?.signing;
  const request = await requestOf(options);
  await new Promise<void>((done, failed) => {
    const captures = makeCaptures({
      live: { current: config },
      clock: systemClock,
      log,
      ffmpeg: findFfmpeg(process.env),
      signingSecret: () => {
        if (signing !== undefined) return signing;
        throw new StartError('a stream of this server needs its data.dir, or an RTMP URL of bbb.targets instead');
      },
      rtmpPort: () => config.rtmp.port,
      environment: process.env,
      takesAnyLink: true,
      onState: (info) => {
        process.stdout.write(options.json === true ? `${JSON.stringify(info)}\n` : `${lineOf(info)}\n`);
        const code = exitCodeOf(info.state);
        if (code === undefined) return;
        process.exitCode = code;
        captures.close().then(done, failed);
      },
    });
    const started = begin(() => captures.start(request, 'cli').id);
    const stop = (signal: NodeJS.Signals): void => {
      process.once(signal, () => process.exit(1));
      captures.stop(started, 'cli');
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
  log.flush();
}

async function requestOf(options: BbbStartOptions): Promise<CaptureRequest> {
  const { meeting, to, toFile, profile, name, passwordFile, joinUrlFile } = options;
  const target = toFile === undefined ? to : await secretIn(toFile);
  if (toFile === undefined && to?.includes(':') === true) {
    process.stderr.write(
      'sluice: arguments can be seen by others: write a target that holds a key into a file, and use --to-file\n',
    );
  }
  if (target === undefined) {
    throw new StartError('--to or --to-file is missing: where is the meeting to be published to?');
  }
  return {
    meetingId: meeting,
    target,
    profile,
    name,
    password: passwordFile === undefined ? undefined : await secretIn(passwordFile),
    joinUrl: joinUrlFile === undefined ? undefined : await secretIn(joinUrlFile),
  };
}

async function secretIn(file: string): Promise<string> {
  try {
    return await readSecretFile(file);
  } catch (error) {
    throw error instanceof SecretFileError ? new StartError(error.message) : error;
  }
}

/** Says why it can't begin, in the exit code as well. */
function begin(start: () => string): string {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof CaptureRefusal)) throw error;
    const code = Object.entries(EXIT_OF).find(([failure]) => failure === error.code)?.[1] ?? UNUSABLE;
    throw new StartError(error.message, code);
  }
}

function exitCodeOf(state: CaptureState): number | undefined {
  if (state.kind === 'ended') return 0;
  return state.kind === 'failed' ? EXIT_OF[state.failure] : undefined;
}

function lineOf({ meetingId, target, state }: CaptureInfo): string {
  const time = new Date().toISOString();
  return `${time} ${meetingId} → ${target}: ${wordsOf(state)}`;
}

function wordsOf(state: CaptureState): string {
  switch (state.kind) {
    case 'waiting':
      return 'waiting for the meeting to begin';
    case 'joining':
      return `joining (attempt ${state.attempt}): ${state.step}`;
    case 'live':
      return 'live';
    case 'degraded':
      return `degraded, ${state.trouble}: ${state.detail}`;
    case 'ended':
      return `ended, ${state.reason}`;
    case 'failed':
      return `failed, ${state.failure}: ${state.detail}`;
  }
}
