import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import type { ObjectStoreSettings } from '../object-store.js';
import { isSigned } from './verify-signature.js';

const BUCKET = 'recordings';
const KEY = 'S3RVER';

/** Takes a request away from the store, and answers it. @returns false for the store to answer */
export type Interception = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * A real S3 server with one bucket, that can be made to fail. What it can't is done in front of it: signatures are
 * checked, and uploads in parts are given up.
 */
export class S3Server {
  readonly endpoint: string;
  /** `PUT /recordings/a.mp4?partNumber=1`, without what differs from call to call. */
  readonly requests: string[] = [];
  intercept: Interception | undefined;
  readonly #folder: string;
  readonly #server: Server;

  private constructor(folder: string, server: Server, answer: RequestListener) {
    this.#folder = folder;
    this.#server = server;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const url = new URL(request.url ?? '', this.endpoint);
      for (const name of ['x-id', 'uploadId']) url.searchParams.delete(name);
      this.requests.push(`${request.method} ${decodeURIComponent(url.pathname)}${url.search}`);
      if (this.intercept?.(request, response)) return;
      if (!isSigned(request, KEY)) refuse(response, 403, 'SignatureDoesNotMatch');
      else if (!givesUp(request, response)) answer(request, response);
    });
  }

  static async start(): Promise<S3Server> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-s3-'));
    const store = new S3rver({
      directory: folder,
      silent: true,
      configureBuckets: [{ name: BUCKET, configs: [] }],
    });
    await store.configureBuckets();
    const callback = store.callback();
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new S3Server(folder, server, callback);
  }

  /** `recording.s3` for this server. */
  settings(over: Partial<ObjectStoreSettings> = {}): ObjectStoreSettings {
    return {
      bucket: BUCKET,
      endpoint: this.endpoint,
      region: 'us-east-1',
      prefix: '',
      pathStyle: true,
      accessKeyId: KEY,
      secretAccessKey: KEY,
      playback: 'redirect',
      ...over,
    };
  }

  /** Where it has the bytes of an object. */
  fileOf(key: string): string {
    return join(this.#folder, BUCKET, `${key}._S3rver_object`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
    rmSync(this.#folder, { recursive: true });
  }
}

/** An error as S3 tells it. */
export function refuse(response: ServerResponse, status: number, code: string): true {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  return true;
}

function givesUp({ method, url = '' }: IncomingMessage, response: ServerResponse): boolean {
  if (method !== 'DELETE' || !url.includes('uploadId=')) return false;
  response.writeHead(204).end();
  return true;
}
