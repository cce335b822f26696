import { isIP } from 'node:net';
import {
  type AuditTrail,
  type Config,
  ForwardedAddress,
  type Gate,
  isLoopback,
  type Rate,
  type TokenBuckets,
} from '@sluice/core';
import type { Request, RequestHandler } from 'express';
import { ApiError } from '../http/api-error.js';
import type { Limit, Need } from '../http/route.js';
import type { Authenticator } from './authenticator.js';
import type { Principal } from './principal.js';

export interface AdmissionOptions {
  readonly gate: Gate;
  readonly config: () => Config;
  readonly authenticator: Authenticator;
  readonly buckets: TokenBuckets;
  readonly audit: AuditTrail;
}

/** For logins, wrong credentials, and what would do harm in numbers. */
const CAREFUL_RATE: Rate = { perMinute: 10, burst: 5 };
/** For who is known, and changes what costs time: a person is slower. */
const CHANGES_RATE: Rate = { perMinute: 60, burst: 20 };

/** The control plane's door: says who asks, and whether they may. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #forwarded: ForwardedAddress;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#forwarded = new ForwardedAddress(() => options.config().http.trustedProxies);
  }

  /** Every request passes here first: address rules and bans, then who it is. */
  readonly identify: RequestHandler = async (request, response, next) => {
    const ip = this.#addressOf(request);
    const { gate, authenticator } = this.#options;
    gate.checkAdmin({
      action: 'admin',
      protocol: 'api',
      path: '',
      ip,
      userAgent: request.headers['user-agent'],
      credentials: {},
      query: new URLSearchParams(),
    });
    const { authorization } = request.headers;
    if (authorization !== undefined) this.#waitAfterFailures(ip);
    const principal = await authenticator.principalOf(authorization);
    if (principal === undefined) {
      this.failed(ip, 'auth.credential', 'a wrong credential was shown');
      throw new ApiError(401, 'credential-invalid', 'the credential is wrong, or has expired');
    }
    response.locals.ip = ip;
    response.locals.principal = principal;
    next();
  };

  /** Lets those through who may do what is needed. */
  requires(need: Need, limited: Limit): RequestHandler {
    return (request, response, next) => {
      const { principal, ip } = response.locals as { principal: Principal; ip: string };
      if (limited === 'changes') this.take(`${ip} changes`, CHANGES_RATE);
      else if (limited !== false) this.take(limited === 'apart' ? `${ip} ${request.method}` : ip);
      if (need === 'nothing' || (need === 'open-read' && this.#mayReadOpenly(request, ip))) {
        next();
        return;
      }
      const scope = need === 'open-read' ? 'read' : need;
      if (principal.scopes.has(scope)) {
        next();
        return;
      }
      if (principal.kind === 'anonymous') {
        throw new ApiError(401, 'credential-missing', 'this needs a credential: log in, or send an API key');
      }
      const target = `${request.method} ${request.path}`;
      this.#options.audit.record({ actor: principal.name, ip, action: 'api.refused', target, result: 'refused' });
      throw new ApiError(403, 'not-allowed', `${principal.name} lacks the scope ${scope}`);
    };
  }

  /** Counts one careful act. @param name the address, or what is counted apart of it. @throws {ApiError} 429 */
  take(name: string, rate: Rate = CAREFUL_RATE): void {
    const waitMs = this.#options.buckets.take(name, rate);
    if (waitMs > 0) throw tooMany(waitMs);
  }

  /** Counts and writes down a wrong credential. */
  failed(ip: string, action: string, detail: string, target = ''): void {
    this.#options.buckets.take(ip, CAREFUL_RATE);
    this.#options.audit.record({ actor: 'anonymous', ip, action, target, result: 'refused', detail });
  }

  #waitAfterFailures(ip: string): void {
    const waitMs = this.#options.buckets.waitFor(ip, CAREFUL_RATE);
    if (waitMs > 0) throw tooMany(waitMs);
  }

  #addressOf(request: Request): string {
    return this.#forwarded.of(request.socket.remoteAddress ?? 'unknown', request.header('x-forwarded-for'));
  }

  /** `auto`: on this machine, where nobody else reaches the port, and by no name that a foreign page could give it. */
  #mayReadOpenly(request: Request, ip: string): boolean {
    const { openReads, host } = this.#options.config().api;
    if (openReads !== 'auto') return openReads === 'always';
    return (isLoopback(host) || host === 'localhost') && isLoopback(ip) && isOwnName(request.headers.host);
  }
}

function tooMany(waitMs: number): ApiError {
  const seconds = Math.ceil(waitMs / 1000);
  return new ApiError(429, 'too-many-requests', `too many tries from your address; try again in ${seconds} s`);
}

/** Against DNS rebinding: a page of another site can make its name point here, but not use this machine's own names. */
function isOwnName(header: string | undefined): boolean {
  if (header === undefined) return true;
  const host = header.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return host === 'localhost' || isIP(host) !== 0;
}
