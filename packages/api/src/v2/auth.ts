import { hashPassword, MAX_PASSWORD_LENGTH } from '@sluice/core';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Login } from '../auth/logins.js';
import { principalOfUser } from '../auth/principal.js';
import { ApiError } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { AccountControl } from './control.js';
import { newPassword, userOf, userSchema } from './users.js';

const COOKIE = 'sluice_refresh';
/** The browser shows it to these routes only. */
const COOKIE_PATH = '/api/v2/auth';

const loginSchema = z.object({
  accessToken: z.string().describe('For `Authorization: Bearer`.'),
  expiresIn: z.number().int().describe('Seconds.'),
  user: userSchema,
});

export function authRoutes(control: AccountControl): Route[] {
  const { authenticator, logins, admission, users, clock, audit, config } = control;
  const answer = (login: Login, request: Request, response: Response): z.input<typeof loginSchema> => {
    setCookie(request, response, login.refreshToken, login.refreshSeconds);
    return { accessToken: login.accessToken, expiresIn: login.expiresIn, user: userOf(login.user) };
  };
  const checkOrigin = (request: Request) => refuseForeignPages(request, config.live.current.api.corsOrigins);
  return [
    route({
      method: 'post',
      path: '/auth/login',
      tag: 'Login',
      summary: 'Log in by password; the renewal comes as a cookie that scripts cannot read',
      needs: 'nothing',
      limited: true,
      body: z.strictObject({ user: z.string().min(1).max(100), password: z.string().min(1).max(MAX_PASSWORD_LENGTH) }),
      answer: loginSchema,
      handle: async ({ body, ip, request, response }) => {
        checkOrigin(request);
        const user = await authenticator.checkPassword(body.user, body.password);
        if (user === undefined) {
          const target = users.find(({ name }) => name === body.user)?.name ?? 'unknown';
          admission.failed(ip, 'auth.login', 'user or password is wrong', target);
          throw new ApiError(401, 'credential-invalid', 'user or password is wrong');
        }
        const { name } = principalOfUser(user);
        audit.record({ actor: name, ip, action: 'auth.login', target: user.name, result: 'ok' });
        return answer(await logins.begin(user), request, response);
      },
    }),
    route({
      method: 'post',
      path: '/auth/refresh',
      tag: 'Login',
      summary: 'Renew a login by its cookie; needs the header X-Requested-With',
      needs: 'nothing',
      answer: loginSchema,
      handle: async ({ ip, request, response }) => {
        checkOrigin(request);
        const shown = refreshTokenOf(request);
        const login = shown === undefined ? undefined : await logins.renew(shown);
        if (login !== undefined) return answer(login, request, response);
        if (shown !== undefined) admission.failed(ip, 'auth.refresh', 'a login that is over was to be renewed');
        throw new ApiError(401, 'credential-expired', 'the login is over; log in again');
      },
    }),
    route({
      method: 'post',
      path: '/auth/logout',
      tag: 'Login',
      summary: 'Log out; needs the header X-Requested-With',
      needs: 'nothing',
      handle: async ({ ip, request, response }) => {
        checkOrigin(request);
        const shown = refreshTokenOf(request);
        const user = shown === undefined ? undefined : await logins.end(shown);
        setCookie(request, response, '', 0);
        if (user !== undefined) {
          const { name } = principalOfUser(user);
          audit.record({ actor: name, ip, action: 'auth.logout', target: user.name, result: 'ok' });
        }
        return undefined;
      },
    }),
    route({
      method: 'get',
      path: '/auth/me',
      tag: 'Login',
      summary: 'Who the credential belongs to, and what it may do',
      needs: 'nothing',
      answer: z.object({ kind: z.string(), name: z.string(), scopes: z.array(z.string()) }),
      handle: ({ principal: { kind, name, scopes } }) => ({ kind, name, scopes: [...scopes] }),
    }),
    route({
      method: 'put',
      path: '/auth/password',
      tag: 'Login',
      summary: 'Change one’s own password; all logins end',
      needs: 'nothing',
      limited: true,
      body: z.strictObject({ old: z.string().min(1).max(MAX_PASSWORD_LENGTH), new: newPassword }),
      handle: async ({ body, principal, ip }) => {
        const self = users.get(principal.userId ?? '');
        if (self === undefined) throw new ApiError(403, 'not-allowed', 'only a user has a password');
        if ((await authenticator.checkPassword(self.name, body.old)) === undefined) {
          admission.failed(ip, 'auth.password', 'the old password is wrong', self.name);
          throw new ApiError(403, 'credential-invalid', 'the old password is wrong', 'old');
        }
        const passwordHash = await hashPassword(body.new);
        await users.put({ ...self, passwordHash, tokensValidFrom: clock.wall() });
        await logins.endAll(self.id);
        audit.record({ actor: principal.name, ip, action: 'auth.password', target: self.name, result: 'ok' });
        return undefined;
      },
    }),
  ];
}

function refreshTokenOf(request: Request): string | undefined {
  if (request.header('x-requested-with') === undefined) {
    throw new ApiError(403, 'csrf', 'this request needs the header X-Requested-With, which foreign pages cannot set');
  }
  return new RegExp(`(?:^|; *)${COOKIE}=([^;]+)`).exec(request.header('cookie') ?? '')?.[1];
}

/** A page of another origin may not act with the cookie of this one. */
function refuseForeignPages(request: Request, allowed: readonly string[]): void {
  const origin = request.header('origin');
  if (origin === undefined || allowed.includes(origin)) return;
  const own = URL.canParse(origin) ? new URL(origin).host : undefined;
  if (own !== request.header('host')) {
    throw new ApiError(403, 'csrf', 'a page of another origin asks; api.corsOrigins lists those that may');
  }
}

function setCookie(request: Request, response: Response, value: string, seconds: number): void {
  const { secure } = request;
  response.cookie(COOKIE, value, {
    httpOnly: true,
    sameSite: 'strict',
    secure,
    path: COOKIE_PATH,
    maxAge: seconds * 1000,
  });
}
