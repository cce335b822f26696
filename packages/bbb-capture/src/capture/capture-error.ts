import type { CaptureFailure } from '@sluice/core';

/** A browser or a capture that could not be begun, or that ended by itself. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  readonly code: CaptureFailure;

  /** @param message names no secret: neither a join URL nor a stream key */
  constructor(code: CaptureFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
