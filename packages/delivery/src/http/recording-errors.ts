import { type Logger, RecordingError, type RecordingErrorCode, Refusal } from '@sluice/core';
import type { NodeResponse } from './media-response.js';
import { BadQuery } from './recording-time.js';
import { sendError, sendRefusal } from './responses.js';

const STATUS_OF: Readonly<Record<RecordingErrorCode, number>> = {
  'not-recorded': 404,
  'not-possible': 422,
  'too-long': 422,
  unreadable: 500,
};

/** Answers what kept something recorded from being sent. Anything else is thrown on. */
export function sendRecordingError(response: NodeResponse, error: unknown, log: Logger): void {
  if (error instanceof BadQuery) sendError(response, 400, error.code, error.message);
  else if (error instanceof RecordingError && !response.headersSent) {
    const { code, message } = error;
    if (code === 'unreadable') log.error({ detail: message }, 'a recording can not be played');
    // Where files are is nothing for viewers.
    sendError(response, STATUS_OF[code], code, code === 'unreadable' ? 'the file can not be read' : message);
  } else if (error instanceof Refusal) sendRefusal(response, error);
  else throw error;
}
