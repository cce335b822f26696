import type { RecordingTrouble } from '@sluice/core';

/** Why something couldn't be done with a recorded file. Stable. */
export type RecordingDiskErrorCode =
  /** A name that is none, or leads out of the recording root. */
  | 'bad-name'
  /** The file isn't there. */
  | 'missing'
  /** Nothing in the file can be played. */
  | 'unreadable'
  | 'disk-full'
  /** The system refused; the message says how. */
  | 'disk-failed'
  /** The disk was closed before it was done. */
  | 'closed';

export class RecordingDiskError extends Error {
  override readonly name = 'RecordingDiskError';
  readonly code: RecordingDiskErrorCode;

  constructor(code: RecordingDiskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the system says of a call, as what it means for recordings. */
export function troubleOf(error: unknown): { readonly trouble: RecordingTrouble; readonly detail: string } {
  const code = systemCodeOf(error);
  const detail = error instanceof Error ? error.message : String(error);
  return { trouble: code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'disk-failed', detail };
}

/** Any error as one of ours; `file` is named where the system's message doesn't. */
export function diskErrorOf(error: unknown, file: string): RecordingDiskError {
  if (error instanceof RecordingDiskError) return error;
  const { trouble, detail } = troubleOf(error);
  if (systemCodeOf(error) === 'ENOENT') return new RecordingDiskError('missing', `${file} isn't there`);
  return new RecordingDiskError(trouble === 'disk-full' ? 'disk-full' : 'disk-failed', `${file}: ${detail}`);
}

export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
