import { type CaptureMeans, type Config, messageOf } from '@sluice/core';
import { findChromium } from '../browser/find-chromium.js';

/** The profile that is used where none is named. */
export const DEFAULT_PROFILE = 'default';
export const NO_FFMPEG = 'there is no ffmpeg, which encodes the sound: install it or set FFMPEG_PATH';

/** What captures can be begun with, and what is missing. */
export function captureMeans(
  { url, secretFile, browser, profiles, targets, maxCaptures }: Config['bbb'],
  environment: Readonly<Record<string, string | undefined>>,
  ffmpeg: string | undefined,
): CaptureMeans {
  const missing: CaptureMeans['missing'][number][] = [];
  try {
    findChromium(browser, environment);
  } catch (error) {
    missing.push({ what: 'browser', detail: messageOf(error) });
  }
  if (ffmpeg === undefined) missing.push({ what: 'encoder', detail: NO_FFMPEG });
  const isPossible = missing.length === 0 && maxCaptures > 0;
  if (url === undefined) {
    missing.push({ what: 'server', detail: 'bbb.url is not set: only meetings with a link to join can be captured' });
  } else if (secretFile === undefined) {
    const detail = "bbb.secretFile is not set: captures need a link to join, or the meeting's password";
    missing.push({ what: 'secret', detail });
  }
  return {
    missing,
    isPossible,
    profiles: [...new Set([DEFAULT_PROFILE, ...Object.keys(profiles)])],
    targets,
    maxCaptures,
  };
}
