import {
  type LiveConfig,
  type Logger,
  NamingTemplate,
  type RecordedFile,
  type RecordedFileQuery,
  type RecordingIndex,
  settingsFor,
} from '@sluice/core';
import { millis } from '@sluice/media';
import type { FoundFile } from './disk/finisher-protocol.js';
import type { RecordingFiles } from './recording-files.js';

const PAGE = 1000;

/** The rows of files that were being written when the server last ended. */
export function unfinishedRows(index: RecordingIndex): Promise<RecordedFile[]> {
  return allRows(index, 'writing');
}

/**
 * Rows for files that the index has never heard of, because the server ended just when they began. Only those whose
 * names are as the configuration makes them; others aren't ours, and are left alone.
 *
 * @param options.before when the server started: what is younger is being recorded
 */
export async function strayFiles(options: {
  readonly files: RecordingFiles;
  readonly index: RecordingIndex;
  readonly live: LiveConfig;
  readonly log: Logger;
  readonly before: number;
  readonly newId: () => string;
}): Promise<RecordedFile[]> {
  const { files, index, live, log, before, newId } = options;
  const found = (await files.list()).filter(({ modifiedAt }) => modifiedAt < before);
  if (found.length === 0) return [];
  const known = new Set((await allRows(index, undefined)).map(({ file }) => file));
  const unknown = found.filter(({ file }) => !known.has(file));
  const stray = unknown.flatMap((file) => rowOf(file, live, newId) ?? []);
  const others = unknown.length - stray.length;
  if (others > 0) log.warn({ files: others }, 'the recording directory has files that the server did not record');
  return stray;
}

function rowOf(found: FoundFile, live: LiveConfig, newId: () => string): RecordedFile | undefined {
  const { recording, paths } = live.current;
  const names = [recording.name, ...Object.values(paths).flatMap((own) => own.recording?.name ?? [])];
  for (const name of names) {
    const read = NamingTemplate.parse(name).read(found.file);
    if (read === undefined || settingsFor(live.current, read.path).recording.name !== name) continue;
    return {
      ...{ id: newId(), recording: newId(), ...read, file: found.file, state: 'writing' },
      ...{ startedAt: millis(found.modifiedAt), duration: 0, bytes: found.bytes, tracks: [], gaps: [], isLocal: true },
    };
  }
  return undefined;
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
