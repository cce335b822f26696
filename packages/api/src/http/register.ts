import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler, Router } from 'express';
import type { z } from 'zod';
import type { Admission } from '../auth/admission.js';
import { ApiError } from './api-error.js';
import type { Asked, Route } from './route.js';

/** Larger than any body that makes sense here. */
const MAX_BODY_BYTES = 64 * 1024;

/** Makes routes work: each checks who asks, then every parameter, then answers. */
export function registerRoutes(routes: readonly Route[], admission: Admission): Router {
  const router = Router({ caseSensitive: true, strict: false });
  const paths = new Map<string, Set<string>>();
  for (const route of routes) {
    const path = expressPath(route.path);
    paths.set(path, (paths.get(path) ?? new Set()).add(route.method.toUpperCase()));
    router[route.method](path, admission.requires(route.needs, route.limited), ...bodyOf(route), handlerOf(route));
  }
  for (const [path, methods] of paths) {
    const allowed = [...methods].join(', ');
    router.all(path, (request, response) => {
      response.setHeader('Allow', allowed);
      throw new ApiError(405, 'method', `${request.method} is not possible here; ${allowed} is`);
    });
  }
  return router;
}

/** `/streams/{path}` → `/streams/*path`, `/bans/{id}` → `/bans/:id`. */
function expressPath(path: string): string {
  return path.replace('{path}', '*path').replace(/\{(\w+)\}/g, ':$1');
}

function bodyOf({ body }: Route): RequestHandler[] {
  if (body === undefined) return [];
  const isJson: RequestHandler = (request, _response, next) => {
    const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
    if (hasBody && !request.is('application/json')) {
      throw new ApiError(415, 'media-type', 'the body must be JSON: Content-Type: application/json');
    }
    next();
  };
  const parse = express.json({
    limit: MAX_BODY_BYTES,
    verify: (_request, _response, bytes) => {
      if (!isUtf8(bytes)) throw new ApiError(400, 'bad-body', 'the body is no UTF-8');
    },
  });
  return [isJson, parse];
}

function handlerOf(route: Route): RequestHandler {
  return async (request, response) => {
    const { path } = request.params as Record<string, unknown>;
    const rawParams = Array.isArray(path) ? { ...request.params, path: path.join('/') } : request.params;
    const asked: Asked<unknown, unknown, unknown> = {
      ...admissionOf(response.locals),
      params: checked(route.params, rawParams, 'path'),
      query: checked(route.query, request.query, 'query'),
      body: route.body === undefined ? undefined : checked(route.body, request.body ?? {}, 'body'),
      request,
      response,
    };
    const answer = await route.handle(asked as Asked<never, never, never>);
    if (response.headersSent) return;
    if (route.answer === undefined) response.status(route.status).end();
    else response.status(route.status).json(answer);
  };
}

/** What the admission has found out before. */
function admissionOf(locals: Record<string, unknown>): Pick<Asked<never, never, never>, 'principal' | 'ip'> {
  const { principal, ip } = locals;
  return { principal, ip } as Pick<Asked<never, never, never>, 'principal' | 'ip'>;
}

function checked<S extends z.ZodType>(schema: S, value: unknown, place: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...unknown].map(String).join('.');
  throw new ApiError(400, 'bad-request', `${place}: ${issue?.message ?? 'not valid'}`, field || place);
}
