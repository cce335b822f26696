import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AccessRequest, type ReasonCode, Refusal } from '@sluice/core';

/** The status of each refusal. */
const STATUS_OF: Readonly<Record<ReasonCode, number>> = {
  'bad-name': 400,
  'not-live': 404,
  'already-publishing': 409,
  'too-many-sessions': 429,
  'shutting-down': 503,
};

/** Seconds after which asking again makes sense. */
const RETRY_AFTER = '2';

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

/** An error as every route tells it: a stable code and a sentence. */
export function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  if (status === 404 || status === 503) response.setHeader('Retry-After', RETRY_AFTER);
  sendJson(response, status, { error: { code, message } });
}

/** Answers a refusal. Anything else is thrown on. */
export function sendRefusal(response: ServerResponse, error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
  sendError(response, STATUS_OF[error.code], error.code, error.message);
}

/** The peer's address, IPv4 without the IPv6 form that a dual-stack socket gives it. */
export function addressOf(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** What an HTTP request asks of the gate. */
export function accessRequestOf(
  request: IncomingMessage,
  protocol: AccessRequest['protocol'],
  path: string,
  query: URLSearchParams,
): AccessRequest {
  const userAgent = request.headers['user-agent'];
  return { action: 'play', protocol, path, ip: addressOf(request), userAgent, query };
}
