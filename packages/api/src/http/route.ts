import type { ApiScope } from '@sluice/core';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Principal } from '../auth/principal.js';

/** Who may use a route: anybody, who may read (perhaps without a credential), or who holds a scope. */
export type Need = 'nothing' | 'open-read' | ApiScope;

/** One request to a route, checked. */
export interface Asked<P, Q, B> {
  readonly principal: Principal;
  readonly ip: string;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: Request;
  readonly response: Response;
}

/** See `Route.limited`. */
export type Limit = boolean | 'apart' | 'changes';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** A route as data: what registers it, checks its requests and describes it. */
export interface Route {
  readonly method: Method;
  /** As OpenAPI writes it: `/sessions/{id}`. `{path}` is a stream path, and may hold slashes. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly needs: Need;
  /**
   * Guessing or flooding it would do harm: it is limited to a few calls a minute. `apart`: to as many by itself, beside
   * logins and wrong credentials. `changes`: by itself, and to more than a person makes by hand.
   */
  readonly limited: Limit;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  /** Undefined where the route takes none. */
  readonly body: z.ZodType | undefined;
  readonly status: number;
  /** Undefined where the answer is empty. */
  readonly answer: z.ZodType | undefined;
  readonly handle: (asked: Asked<never, never, never>) => unknown;
}

const NOTHING = z.strictObject({});

/** Describes a route; the handler's types follow from its schemas. */
export function route<
  P extends z.ZodObject = typeof NOTHING,
  Q extends z.ZodObject = typeof NOTHING,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUndefined,
>(options: {
  readonly method: Method;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly needs: Need;
  readonly limited?: Limit;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly status?: number;
  readonly answer?: A;
  readonly handle: (
    asked: Asked<z.output<P>, z.output<Q>, z.output<B>>,
  ) => Promise<z.input<A> | undefined> | z.input<A> | undefined;
}): Route {
  const { params, query, body, answer, limited = false } = options;
  return {
    ...options,
    limited,
    params: params ?? NOTHING,
    query: query ?? NOTHING,
    body,
    answer,
    status: options.status ?? (answer === undefined ? 204 : 200),
    handle: options.handle as Route['handle'],
  };
}
