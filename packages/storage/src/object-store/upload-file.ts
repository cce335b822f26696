import type { RecordedFile, RecordingContainer, RecordStore } from '@sluice/core';
import { LocalFileError, ObjectStoreError } from './errors.js';
import { LocalFile } from './local-file.js';
import type { ObjectAddress, ObjectFacts, ObjectStore } from './object-store.js';
import type { UploadedPart, UploadProgress } from './upload-progress.js';

const MIB = 1024 * 1024;
/** Of a part: what waits in memory, and at most so much is sent twice after a failure. */
const PART_BYTES = 8 * MIB;
/** S3's limit. */
const MOST_PARTS = 10_000;

const CONTENT_TYPES: Readonly<Record<RecordingContainer, string>> = {
  mp4: 'video/mp4',
  flv: 'video/x-flv',
  ts: 'video/mp2t',
};

export interface UploadFileOptions {
  readonly store: ObjectStore;
  /** Where its progress is kept. */
  readonly journal: RecordStore<UploadProgress>;
  readonly file: RecordedFile;
  /** The recording root. */
  readonly root: string;
  readonly to: ObjectAddress;
  /** How far it came before. */
  readonly before: UploadProgress | undefined;
  readonly signal: AbortSignal;
}

export function contentTypeOf({ container }: Pick<RecordedFile, 'container'>): string {
  return CONTENT_TYPES[container];
}

/** Whether an object is a whole copy of a file. */
export function isCopyOf(file: Pick<RecordedFile, 'bytes' | 'sha256'>, facts: ObjectFacts | undefined): boolean {
  return facts !== undefined && facts.bytes === file.bytes && facts.sha256 === file.sha256;
}

/**
 * Copies a recorded file to an object store: in one go where it is small, else in parts, going on where it was when it
 * failed or the server ended. Its bytes are those that the index knows by their SHA-256, and each part is signed by its
 * own: nothing that was altered on the disk or on the way becomes an object.
 *
 * @throws {ObjectStoreError} and may be called again, with the progress that is kept then
 * @throws {LocalFileError} where the file is not what the index knows
 */
export async function uploadFile(options: UploadFileOptions): Promise<void> {
  const { store, file, root, to, signal } = options;
  const local = await LocalFile.open(root, file);
  try {
    if (file.bytes <= PART_BYTES) {
      const body = await local.next(PART_BYTES);
      checkDigest(file, body.sha256);
      await store.put(to, body, labelsOf(file), signal);
    } else {
      await uploadParts(options, local);
    }
  } finally {
    await local.close();
  }
  const facts = await store.head(to, signal);
  if (!isCopyOf(file, facts)) {
    const found = facts === undefined ? 'nothing' : `${facts.bytes} bytes, SHA-256 ${facts.sha256 ?? 'unknown'}`;
    throw new ObjectStoreError(
      'mismatch',
      `The object store has ${found} as ${to.key}, where ${file.bytes} bytes, SHA-256 ${file.sha256 ?? 'unknown'}, were uploaded.`,
    );
  }
}

async function uploadParts(
  { store, journal, file, to, before, signal }: UploadFileOptions,
  local: LocalFile,
): Promise<void> {
  let progress = before ?? (await begin());
  try {
    const count = Math.ceil(file.bytes / progress.partBytes);
    for (let number = 1; number <= count; number++) {
      if (signal.aborted) throw new ObjectStoreError('stopped', `stopped: to upload ${to.key}`);
      const body = await local.next(progress.partBytes);
      const done = progress.parts[number - 1];
      if (done === undefined) await put(number, body);
      else if (done.sha256 !== body.sha256) throw altered(file);
    }
    checkDigest(file, local.digest());
    await store.complete(
      to,
      progress.uploadId,
      progress.parts.map(({ etag }) => etag),
      signal,
    );
  } catch (error) {
    // It is over there, too; or it must never be completed.
    const isOver = error instanceof ObjectStoreError && error.code === 'no-upload';
    if (isOver || error instanceof LocalFileError) await giveUp(store, journal, progress);
    throw error;
  }
  await journal.delete(file.id);

  async function begin(): Promise<UploadProgress> {
    const partBytes = partBytesFor(file.bytes);
    const uploadId = await store.begin(to, labelsOf(file), signal);
    const begun = { id: file.id, ...to, uploadId, partBytes, parts: [] };
    await journal.put(begun);
    return begun;
  }

  async function put(number: number, body: { bytes: Buffer; sha256: string }): Promise<void> {
    const part: UploadedPart = {
      etag: await store.putPart(to, progress.uploadId, number, body, signal),
      sha256: body.sha256,
    };
    progress = { ...progress, parts: [...progress.parts, part] };
    await journal.put(progress);
  }
}

/**
 * Frees the parts of an upload that won't be completed, and forgets it. What the store won't free is left to its own
 * rules, unless it can't be asked now.
 *
 * @throws {ObjectStoreError} `unreachable` or `busy`
 */
export async function giveUp(
  store: ObjectStore,
  journal: RecordStore<UploadProgress>,
  { id, bucket, key, uploadId }: UploadProgress,
): Promise<void> {
  try {
    await store.abort({ bucket, key }, uploadId);
  } catch (error) {
    const isPassing = error instanceof ObjectStoreError && (error.code === 'unreachable' || error.code === 'busy');
    if (isPassing) throw error;
  }
  await journal.delete(id);
}

/** Parts of 8 MiB, or larger where there would be too many. */
export function partBytesFor(bytes: number): number {
  return Math.max(PART_BYTES, Math.ceil(bytes / MOST_PARTS / MIB) * MIB);
}

function labelsOf(file: RecordedFile) {
  return { contentType: contentTypeOf(file), sha256: file.sha256 };
}

function checkDigest(file: RecordedFile, sha256: string): void {
  if (file.sha256 !== undefined && file.sha256 !== sha256) throw altered(file);
}

function altered({ file }: RecordedFile): LocalFileError {
  return new LocalFileError('altered', `The recorded file ${file} has other bytes than when it was finished.`);
}
