import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { type AccessRequest, credentialsOf } from '@sluice/core';

/** A request as node reads it, by HTTP/1.1 or HTTP/2. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** A request to the media server, with what every route needs to know of it. */
export interface MediaRequest {
  readonly message: NodeRequest;
  readonly pathname: string;
  readonly query: URLSearchParams;
  /** The viewer's address, behind the proxies that are trusted. */
  readonly ip: string;
}

/** What a viewer asks of the gate. */
export function playRequestOf(request: MediaRequest, protocol: AccessRequest['protocol'], path: string): AccessRequest {
  return accessRequestOf(request, 'play', protocol, path);
}

/** What a request asks of the gate. */
export function accessRequestOf(
  request: MediaRequest,
  action: 'publish' | 'play',
  protocol: AccessRequest['protocol'],
  path: string,
): AccessRequest {
  const { message, ip, query } = request;
  const { authorization, referer } = message.headers;
  return {
    action,
    protocol,
    path,
    ip,
    userAgent: message.headers['user-agent'],
    credentials: credentialsOf(query, authorization),
    query,
    client: { pageUrl: referer },
  };
}
