import { accessSync, constants } from 'node:fs';
import { findProgram } from '@sluice/core';
import { CaptureError } from '../capture/capture-error.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * Where Chromium is: as configured, or the first that the PATH has.
 *
 * @throws {CaptureError} `no-browser`
 */
export function findChromium(
  configured: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (configured !== undefined) {
    try {
      accessSync(configured, constants.X_OK);
      return configured;
    } catch (error) {
      throw new CaptureError('no-browser', `${configured} can't be run; set bbb.browser to Chromium's file`, {
        cause: error,
      });
    }
  }
  for (const name of NAMES) {
    const found = findProgram(name, environment);
    if (found !== undefined) return found;
  }
  throw new CaptureError(
    'no-browser',
    `none of ${NAMES.join(', ')} is on the PATH; install Chromium or set bbb.browser`,
  );
}
