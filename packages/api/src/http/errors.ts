import { randomBytes } from 'node:crypto';
import { ConfigError, IssueError, type Logger, messageOf, type ReasonCode, Refusal } from '@sluice/core';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ApiError } from './api-error.js';

/** The status of refusals of the gate that reach the control plane. */
const STATUS_OF: Partial<Record<ReasonCode, number>> = {
  'address-denied': 403,
  banned: 403,
  'bad-name': 400,
  busy: 409,
  'not-live': 404,
  'too-many-failures': 429,
  unavailable: 503,
};

/** What body-parser and express call the faults of a request. */
const STATUS_CODES: Readonly<Record<number, string>> = {
  400: 'bad-request',
  413: 'too-large',
  415: 'media-type',
};

export const unknownRoute: RequestHandler = (request) => {
  throw new ApiError(404, 'not-found', `there is nothing at ${request.path.slice(0, 200)}`);
};

/** Turns whatever was thrown into JSON. What nobody expected is logged under a reference that the client is told. */
export function errorHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const known = knownError(error);
    if (known !== undefined) {
      if (known.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="Sluice"');
      response.status(known.status).json(known);
      return;
    }
    const reference = randomBytes(6).toString('hex');
    log.error({ reference, path: request.path, error: messageOf(error) }, 'a request to the control API failed');
    response.status(500).json(new ApiError(500, 'internal', `something failed here; the log says more: ${reference}`));
  };
}

function knownError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof ConfigError) return new ApiError(400, 'bad-config', error.problems.join('; '));
  if (error instanceof IssueError) return new ApiError(400, 'not-possible', error.message);
  if (error instanceof Refusal) return new ApiError(STATUS_OF[error.code] ?? 403, error.code, error.message);
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  const told = type === 'entity.parse.failed' ? 'the body is no JSON' : messageOf(error);
  return new ApiError(status, STATUS_CODES[status] ?? 'bad-request', told);
}
