import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from './start-error.js';

/** What the server can't be without, and makes for itself at its first start. */
export interface OwnSecrets {
  /** Signs URLs, where `auth.signing.secret` isn't set. */
  readonly signing: string;
  /** Signs the control plane's access tokens. */
  readonly accessTokens: string;
  /** This server's name towards SRS's tools and in syncs. No secret, but as old as they are. */
  readonly serverId: string;
}

const FILE = 'secrets.json';

/**
 * Reads the secrets of a data directory, or makes them.
 *
 * @param directory exists
 * @throws {StartError} where they can't be read or written
 */
export async function loadSecrets(directory: string): Promise<OwnSecrets> {
  const known = await readSecrets(directory);
  if (known !== undefined) return known;
  const made: OwnSecrets = {
    signing: randomBytes(32).toString('base64url'),
    accessTokens: randomBytes(32).toString('base64url'),
    serverId: `vid-${randomBytes(4).toString('hex').slice(0, 7)}`,
  };
  const file = join(directory, FILE);
  try {
    await writeFile(`${file}.new`, `${JSON.stringify(made, undefined, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  } catch (error) {
    throw new StartError(`${file} can't be written: ${String(error)}. data.dir names its directory.`);
  }
  return made;
}

/** The secrets of a data directory; undefined where no server has run with it yet. */
export async function readSecrets(directory: string): Promise<OwnSecrets | undefined> {
  const file = join(directory, FILE);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new StartError(`${file} can't be read: ${String(error)}`);
  }
  const read = parse(text);
  if (read !== undefined) return read;
  throw new StartError(`${file} is damaged. Restore it, or delete it: signed URLs and logins are void then.`);
}

function parse(text: string): OwnSecrets | undefined {
  try {
    const { signing, accessTokens, serverId } = JSON.parse(text) as Partial<OwnSecrets>;
    const isWhole = [signing, accessTokens, serverId].every((value) => typeof value === 'string' && value !== '');
    return isWhole ? ({ signing, accessTokens, serverId } as OwnSecrets) : undefined;
  } catch {
    return undefined;
  }
}
