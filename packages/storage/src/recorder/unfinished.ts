import type { LiveConfig, Logger, RecordedFile, RecordedFileQuery, RecordingIndex } from '@sluice/core';
import type { RecordingFiles } from './recording-files.js';
import { entryOf } from './unknown-file.js';

const PAGE = 1000;

/** The rows of files that were being written when the server last ended. */
export function unfinishedRows(index: RecordingIndex): Promise<RecordedFile[]> {
  return allRows(index, 'writing');
}

/**
 * Rows for files that the index has never heard of, because the server ended just when they began. Only those whose
 * names are as the configuration makes them; others aren't ours, and are left alone. Those in which there is nothing yet
 * are removed.
 *
 * @param options.before when the server started: what is younger is being recorded
 */
export async function strayFiles(options: {
  readonly files: RecordingFiles;
  readonly index: RecordingIndex;
  readonly live: LiveConfig;
  readonly log: Logger;
  readonly before: number;
  readonly isInWork: (file: string) => boolean;
}): Promise<RecordedFile[]> {
  const { files, index, live, log, before, isInWork } = options;
  const found = (await files.list()).filter(({ file, modifiedAt }) => modifiedAt < before && !isInWork(file));
  if (found.length === 0) return [];
  const known = new Set((await allRows(index, undefined)).map(({ file }) => file));
  const unknown = found.filter(({ file }) => !known.has(file));
  const stray = unknown.flatMap((file) => entryOf(file, live.current) ?? []);
  const others = unknown.length - stray.length;
  if (others > 0) log.warn({ files: others }, 'the recording directory has files that the server did not record');
  for (const { file, bytes } of stray) if (bytes === 0) await files.remove(file);
  return stray.filter(({ bytes }) => bytes > 0);
}

async function allRows(index: RecordingIndex, state: RecordedFileQuery['state']): Promise<RecordedFile[]> {
  const rows: RecordedFile[] = [];
  for (;;) {
    const last = rows.at(-1);
    const after = last && { startedAt: last.startedAt, id: last.id };
    const page = await index.query({ state, order: 'oldest', after, limit: PAGE });
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}
