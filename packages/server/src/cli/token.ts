import {
  type ConfigSources,
  IssueError,
  PATH_PATTERN,
  parseNetwork,
  resolveConfig,
  systemClock,
  TokenIssuer,
  type TokenKind,
} from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { readSecrets } from '../secrets.js';
import { StartError } from '../start-error.js';
import { parseDuration } from './duration.js';

export interface TokenOptions {
  readonly config?: string;
  readonly kind: TokenKind;
  readonly action: 'publish' | 'play';
  readonly viewer?: string;
  readonly ip?: string;
  readonly valid: string;
  readonly sessionEnd?: string;
}

/** `sluice token`: prints what goes behind a stream's URL, or in front of its path, to be let in. */
export async function token(path: string, options: TokenOptions): Promise<void> {
  const sources = readConfigFile(options.config, process.env);
  const { value, parameter } = await issue(path, options, sources);
  process.stdout.write(parameter === 'path' ? `/${value}\n` : `?${new URLSearchParams({ [parameter]: value })}\n`);
}

async function issue(path: string, options: TokenOptions, sources: ConfigSources) {
  if (!PATH_PATTERN.test(path)) {
    throw new StartError(`${path} is no stream path; write app/name, as in live/show or live/*`);
  }
  if (options.ip !== undefined && parseNetwork(options.ip) === undefined) {
    throw new StartError(`--ip ${options.ip} is no address and no CIDR block`);
  }
  const { config } = resolveConfig(sources);
  const secret = config.auth.signing.secret ?? (await readSecrets(config.data.dir))?.signing;
  const issuer = new TokenIssuer({
    auth: () => config.auth,
    signingSecret: () => {
      if (secret !== undefined) return secret;
      throw new StartError(
        `auth.signing.secret is not set, and no server has run with data.dir ${config.data.dir} yet: run it once, or set SLUICE_AUTH_SIGNING_SECRET`,
      );
    },
    clock: systemClock,
  });
  try {
    return await issuer.issue(options.kind, {
      action: options.action,
      path,
      viewer: options.viewer,
      ip: options.ip,
      validSeconds: parseDuration('--valid', options.valid),
      sessionSeconds: options.sessionEnd === undefined ? undefined : parseDuration('--session-end', options.sessionEnd),
    });
  } catch (error) {
    if (error instanceof IssueError) throw new StartError(error.message);
    throw error;
  }
}
