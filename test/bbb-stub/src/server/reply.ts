import type { ServerResponse } from 'node:http';

/** What a request is answered with. */
export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const xml = (body: string): Reply => ({ status: 200, type: 'text/xml;charset=utf-8', body });
export const html = (body: string, status = 200): Reply => ({ status, type: 'text/html;charset=utf-8', body });
export const json = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});
export const redirect = (location: string, headers = {}): Reply => ({
  status: 302,
  type: 'text/plain',
  body: '',
  headers: { location, ...headers },
});

export function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache', ...headers }).end(body);
}
