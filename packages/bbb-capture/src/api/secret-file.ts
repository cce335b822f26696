import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

export type SecretFileFault = 'missing' | 'unreadable' | 'no-file' | 'too-open' | 'empty' | 'malformed';

/** A file that was to hold a secret, and can't be used. The message names the file and what to do, nothing of its text. */
export class SecretFileError extends Error {
  override readonly name = 'SecretFileError';
  readonly code: SecretFileFault;
  readonly file: string;

  constructor(code: SecretFileFault, file: string, message: string) {
    super(`${file} ${message}`);
    this.code = code;
    this.file = file;
  }
}

const MOST_BYTES = 4096;
/** Opening a pipe would else wait for who writes into it. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;
const GROUP_AND_OTHERS = 0o077;
const OTHERS_AND_WRITE = 0o037;
const ROOT = 0;

/**
 * Reads a secret of one line from a file. Line breaks at its end don't count.
 *
 * @param file readable by this user alone: by its owner, who is this user or root
 * @throws {SecretFileError}
 */
export async function readSecretFile(file: string): Promise<string> {
  const handle = await open(file, READ).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new SecretFileError('missing', file, 'is not there');
    throw new SecretFileError(
      'unreadable',
      file,
      `can't be read (${error.code ?? error.message}): chown it to this user`,
    );
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new SecretFileError('no-file', file, 'is no file');
    const fault = opennessOf(stat);
    if (fault !== undefined) throw new SecretFileError('too-open', file, fault);
    if (stat.size > MOST_BYTES) {
      throw new SecretFileError('malformed', file, `is longer than ${MOST_BYTES} bytes: is it another file?`);
    }
    const secret = (await handle.readFile('utf8')).replace(/[\r\n]+$/, '');
    if (secret.trim() === '') throw new SecretFileError('empty', file, 'is empty');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a secret can't hold.
    if (/[\u0000-\u001f\u007f\ufffd]/.test(secret)) {
      throw new SecretFileError('malformed', file, 'must hold the secret alone, on one line');
    }
    return secret;
  } finally {
    await handle.close();
  }
}

/** Why others than this user could read it. */
function opennessOf({ mode, uid, gid }: { mode: number; uid: number; gid: number }): string | undefined {
  const own = process.geteuid?.();
  // Systems without owners have no modes that mean anything.
  if (own === undefined) return undefined;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  if (uid !== own && uid !== ROOT) return `belongs to another user (${uid}), who can read it: chown it to this one`;
  // systemd hands credentials out as root:root 0440, this user let in by an ACL that shows as the group's bits.
  const isRoots = uid === ROOT && gid === ROOT && (mode & OTHERS_AND_WRITE) === 0;
  if ((mode & GROUP_AND_OTHERS) !== 0 && !isRoots) {
    return `can be read by others (mode ${shown}): chmod 600, or mode 0400 where a container's secrets are declared`;
  }
  return undefined;
}
