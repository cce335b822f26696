import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  type Config,
  type Directory,
  type Logger,
  type PasswordVerifier,
  type RefreshToken,
  TokenBuckets,
} from '@sluice/core';
import express, { type Express, type RequestHandler, type Router } from 'express';
import helmet from 'helmet';
import { AccessTokens } from './auth/access-tokens.js';
import { Admission } from './auth/admission.js';
import { Authenticator } from './auth/authenticator.js';
import { Logins } from './auth/logins.js';
import { Oidc } from './auth/oidc.js';
import { Feed } from './feed/feed.js';
import { cors } from './http/cors.js';
import { errorHandler, unknownRoute } from './http/errors.js';
import { openApiOf } from './http/openapi.js';
import { registerRoutes } from './http/register.js';
import type { Control } from './v2/control.js';
import { v2Routes } from './v2/routes.js';

/** PEM. */
interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface ControlServerOptions extends Control {
  readonly refreshTokens: Directory<RefreshToken>;
  readonly passwords: PasswordVerifier;
  /** Signs access tokens. */
  readonly accessTokenSecret: string;
  /** SRS's routes, under `/api/v1`. */
  readonly srs: Router | undefined;
  readonly metrics: RequestHandler | undefined;
  /** The pages of the control plane, at `/`. */
  readonly pages: RequestHandler | undefined;
  readonly tls: TlsFiles | undefined;
  readonly log: Logger;
}

const BASE_PATH = '/api/v2';
const MAX_CONNECTIONS = 2000;
const SERVER_OPTIONS: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5000,
};

/** The control plane's own listeners, beside those of media. */
export class ControlServer {
  readonly #plain: Server;
  readonly #tls: TlsServer | undefined;
  readonly #feed: Feed;

  constructor(options: ControlServerOptions) {
    this.#feed = new Feed(options);
    const app = makeApp(options, this.#feed);
    this.#plain = createServer(SERVER_OPTIONS, app);
    this.#tls = options.tls && createTlsServer({ ...SERVER_OPTIONS, ...options.tls }, app);
    for (const server of this.#servers()) {
      server.maxConnections = MAX_CONNECTIONS;
      server.on('clientError', (_error, socket) => {
        if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
        else socket.destroy();
      });
    }
  }

  /** Whether there is a listener for TLS. */
  get hasTls(): boolean {
    return this.#tls !== undefined;
  }

  /** @param port 0 takes a free one */
  listen(port: number, host: string): Promise<AddressInfo> {
    return listen(this.#plain, port, host);
  }

  /** Only where there is a certificate. */
  listenTls(port: number, host: string): Promise<AddressInfo> {
    if (this.#tls === undefined) throw new Error('there is no certificate');
    return listen(this.#tls, port, host);
  }

  /** New connections get this certificate. */
  setCertificate(tls: TlsFiles): void {
    this.#tls?.setSecureContext(tls);
  }

  /** Answers what was asked, and stops listening. */
  async close(patienceMs: number): Promise<void> {
    this.#feed.close();
    const closed = this.#servers().map((server) => new Promise<void>((done) => server.close(() => done())));
    for (const server of this.#servers()) server.closeIdleConnections();
    const cut = setTimeout(() => {
      for (const server of this.#servers()) server.closeAllConnections();
    }, patienceMs);
    await Promise.all(closed);
    clearTimeout(cut);
  }

  #servers(): (Server | TlsServer)[] {
    return this.#tls === undefined ? [this.#plain] : [this.#plain, this.#tls];
  }
}

function listen(server: Server | TlsServer, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function makeApp(options: ControlServerOptions, feed: Feed): Express {
  const { config, log, health, version } = options;
  const settings = (): Config => config.live.current;
  const accounts = makeAccounts(options);
  const { admission } = accounts;
  const routes = v2Routes({ ...options, ...accounts, feed });
  const document = openApiOf(routes, { version, basePath: BASE_PATH });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.use(helmet({ contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } } }));
  app.use((_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  // Whether the process lives is no secret, and who asks that has no credential.
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', (_request, response) => {
    const problems = health.problems();
    response
      .status(problems.length === 0 ? 200 : 503)
      .json({ status: problems.length === 0 ? 'ok' : 'not-ready', problems });
  });
  app.use(cors(() => settings().api.corsOrigins));
  app.use(admission.identify);
  app.get(`${BASE_PATH}/openapi.json`, (_request, response) => void response.json(document));
  app.use(BASE_PATH, registerRoutes(routes, admission));
  app.delete('/api/v1/*path', admission.requires('sessions', false));
  app.use('/api/v1/raw', admission.requires('config', true));
  if (options.srs !== undefined) app.use('/api/v1', admission.requires('open-read', false), options.srs);
  if (options.metrics !== undefined) app.get('/metrics', admission.requires('open-read', false), options.metrics);
  if (options.pages !== undefined) app.use(options.pages);
  app.use(unknownRoute);
  app.use(errorHandler(log));
  return app;
}

function makeAccounts(options: ControlServerOptions) {
  const { config, users, apiKeys, refreshTokens, passwords, clock, log, gate, audit } = options;
  const settings = () => config.live.current.api;
  const accessTokens = new AccessTokens({ secret: options.accessTokenSecret, clock });
  const oidc = new Oidc({ settings: () => settings().oidc, clock, log });
  const authenticator = new Authenticator({ settings, users, apiKeys, passwords, accessTokens, oidc, clock });
  const admission = new Admission({
    gate,
    config: () => config.live.current,
    authenticator,
    buckets: new TokenBuckets(clock),
    audit,
  });
  const logins = new Logins({ settings, users, refreshTokens, accessTokens, clock });
  return { authenticator, admission, logins };
}
