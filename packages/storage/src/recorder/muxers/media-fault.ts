import { MediaError } from '@sluice/media';

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
