import { type ReasonCode, Refusal } from '@sluice/core';
import type { MediaResponse } from './media-response.js';

/** The status of each refusal. */
const STATUS_OF: Readonly<Record<ReasonCode, number>> = {
  'bad-name': 400,
  'not-live': 404,
  unavailable: 503,
  'already-publishing': 409,
  busy: 409,
  'address-denied': 403,
  banned: 403,
  closed: 403,
  'credential-missing': 401,
  'credential-invalid': 401,
  'credential-expired': 401,
  'too-many-failures': 429,
  'callback-refused': 403,
  'callback-failed': 503,
  'origin-refused': 403,
  'too-many-sessions': 429,
  draining: 503,
  'shutting-down': 503,
};

/** Seconds after which asking again makes sense. */
const RETRY_AFTER = '2';

/** RFC 6750 §3. No Basic, so that browsers don't ask for a password that a page would rather ask for itself. */
const CHALLENGE = 'Bearer realm="Sluice"';

export function sendJson(response: MediaResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

/** An error as every route tells it: a stable code and a sentence. */
export function sendError(response: MediaResponse, status: number, code: string, message: string): void {
  if (status === 404 || status === 429 || status === 503) response.setHeader('Retry-After', RETRY_AFTER);
  if (status === 401) response.setHeader('WWW-Authenticate', CHALLENGE);
  sendJson(response, status, { error: { code, message } });
}

/** Sends the client to another server, with the same method and body. RFC 9110 §15.4.8. */
export function sendRedirect(response: MediaResponse, url: string): void {
  response.writeHead(307, { Location: url, 'Content-Length': 0, 'Cache-Control': 'no-store' });
  response.end();
}

/** The status that tells a refusal. */
export function statusOfRefusal({ code }: Refusal): number {
  return STATUS_OF[code];
}

/** Answers a refusal. Anything else is thrown on. */
export function sendRefusal(response: MediaResponse, error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
  sendError(response, statusOfRefusal(error), error.code, error.message);
}
