import { type LiveRange, type RecordedFile, RecordingError, type RecordingIndex, type StreamPath } from '@sluice/core';

const PAGE = 500;

/**
 * The files of a path of which something was live in a time, the oldest first. A growing file's row may not tell how
 * far it has come, so that all of those that began before the time's end are among them.
 *
 * @param most as many at most
 */
export async function filesIn(
  index: RecordingIndex,
  path: StreamPath,
  range: Partial<LiveRange>,
  most: number,
): Promise<RecordedFile[]> {
  const { from, to } = range;
  const found = new Map<string, RecordedFile>();
  let after: { startedAt: number; id: string } | undefined;
  while (found.size < most) {
    const limit = Math.min(PAGE, most - found.size);
    const page = await index.query({ path, from, to, order: 'oldest', after, limit });
    for (const file of page) found.set(file.id, file);
    const last = page.at(-1);
    if (last === undefined || page.length < limit) break;
    after = { startedAt: last.startedAt, id: last.id };
  }
  if (found.size < most) {
    const growing = await index.query({ path, state: 'writing', order: 'newest', limit: PAGE });
    for (const file of growing) if (to === undefined || file.startedAt < to) found.set(file.id, file);
  }
  return [...found.values()].sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
}

/** Whether clips and playlists can be made of a file. */
export function isPlayable({ container, state }: RecordedFile): boolean {
  return container === 'mp4' && (state === 'ready' || state === 'writing');
}

/**
 * Those of the files that can be played by time.
 *
 * @throws {RecordingError} `not-recorded` where there is no file, `not-possible` or `unreadable` where none can be played
 */
export function playableOf(path: StreamPath, files: readonly RecordedFile[]): RecordedFile[] {
  const playable = files.filter(isPlayable);
  if (playable.length > 0) return playable;
  const [other] = files;
  if (other === undefined) throw new RecordingError('not-recorded', `nothing of ${path} is recorded at that time`);
  if (other.container !== 'mp4') {
    const way = `fetch /${path}/recordings/${other.id}.${other.container} whole`;
    const what = `${path} was recorded as ${other.container} then, which can't be clipped or played by time`;
    throw new RecordingError('not-possible', `${what}; ${way}, or record as mp4`);
  }
  throw new RecordingError('unreadable', `${other.file} is ${other.state}: ${other.reason ?? 'it can not be played'}`);
}

/** @throws {RecordingError} `not-recorded` where a path has no such file */
export async function fileOf(index: RecordingIndex, path: StreamPath, id: string): Promise<RecordedFile> {
  const file = await index.get(id);
  if (file?.path !== path) throw new RecordingError('not-recorded', `${path} has no recorded file ${id}`);
  return file;
}
