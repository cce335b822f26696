import { MediaError, type Micros, micros, millisFromMicros, type Sample } from '@sluice/media';

/** What is wrong with media, in words; undefined where nothing is. Other errors are thrown on. */
export function mediaFault(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof MediaError) return error.message;
    throw error;
  }
}

/**
 * A file's time begins with the samples of its first piece. A track that comes later can't begin before.
 *
 * @throws {MediaError} `malformed`
 */
export function checkNotBefore(start: Micros, { track, dts }: Sample): void {
  if (dts >= start) return;
  const early = Math.ceil(millisFromMicros(micros(start - dts)));
  throw new MediaError('malformed', `a sample of track ${track} is ${early} ms before the file's beginning`);
}
