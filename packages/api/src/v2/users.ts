import { randomUUID } from 'node:crypto';
import { hashPassword, MAX_PASSWORD_LENGTH, ROLES, type User } from '@sluice/core';
import { millis } from '@sluice/media';
import { z } from 'zod';
import { ApiError, notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { AccountControl } from './control.js';
import { id, iso, pathPattern, time } from './schemas.js';

export const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  publish: z.array(z.string()),
  play: z.array(z.string()),
  disabled: z.boolean(),
  createdAt: time,
});

export const userOf = ({ id, name, role, publish, play, disabled, createdAt }: User): z.input<typeof userSchema> => ({
  id,
  name,
  role,
  publish: [...publish],
  play: [...play],
  disabled,
  createdAt: iso(createdAt),
});

export const newPassword = z.string().min(10).max(MAX_PASSWORD_LENGTH).describe('10 characters or more.');
const userName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/, { error: 'letters, digits and . _ @ + -, 100 at most' });
const patterns = z.array(pathPattern).max(1000);

export function userRoutes({ users, logins, gate, clock, audit }: AccountControl): Route[] {
  const find = (wanted: string): User => {
    const user = users.get(wanted);
    if (user === undefined) throw notFound(`user ${wanted}`);
    return user;
  };
  /** Somebody must be left who can let others in. */
  const keepAnAdmin = (without: User): void => {
    const isAdmin = ({ role, disabled }: User) => role === 'admin' && !disabled;
    if (isAdmin(without) && users.list().filter(isAdmin).length === 1) {
      throw new ApiError(409, 'last-admin', `${without.name} is the last administrator`);
    }
  };
  const checkName = (name: string, self?: User): void => {
    const taken = users.find((user) => user.name.toLowerCase() === name.toLowerCase());
    if (taken !== undefined && taken.id !== self?.id) {
      throw new ApiError(409, 'name-taken', `there is a user ${taken.name}`, 'name');
    }
  };
  return [
    route({
      method: 'get',
      path: '/users',
      tag: 'Users',
      summary: 'All users',
      needs: 'admin',
      answer: z.object({ users: z.array(userSchema) }),
      handle: () => ({ users: users.list().map(userOf) }),
    }),
    route({
      method: 'post',
      path: '/users',
      tag: 'Users',
      summary: 'Add a user',
      needs: 'admin',
      limited: 'changes',
      body: z.strictObject({
        name: userName,
        password: newPassword,
        role: z.enum(ROLES).default('viewer'),
        publish: patterns.default([]).describe('Paths that the user may publish.'),
        play: patterns.default([]).describe('Paths that the user may watch.'),
      }),
      status: 201,
      answer: userSchema,
      handle: async ({ body, principal, ip }) => {
        const { password, ...rest } = body;
        checkName(rest.name);
        const passwordHash = await hashPassword(password);
        checkName(rest.name);
        const made = await users.put({
          ...rest,
          id: randomUUID(),
          passwordHash,
          createdAt: clock.wall(),
          tokensValidFrom: millis(0),
          disabled: false,
        });
        const detail = made.role;
        audit.record({ actor: principal.name, ip, action: 'user.create', target: made.name, result: 'ok', detail });
        return userOf(made);
      },
    }),
    route({
      method: 'patch',
      path: '/users/{id}',
      tag: 'Users',
      summary: 'Change a user; what is left out stays',
      needs: 'admin',
      limited: 'changes',
      params: id,
      body: z.strictObject({
        name: userName.optional(),
        password: newPassword.optional(),
        role: z.enum(ROLES).optional(),
        publish: patterns.optional(),
        play: patterns.optional(),
        disabled: z.boolean().optional(),
      }),
      answer: userSchema,
      handle: async ({ params, body, principal, ip }) => {
        const before = find(params.id);
        const { password, ...changes } = body;
        if (changes.name !== undefined) checkName(changes.name, before);
        const passwordHash = password === undefined ? before.passwordHash : await hashPassword(password);
        if ((changes.role ?? before.role) !== 'admin' || changes.disabled === true) keepAnAdmin(before);
        const loses = password !== undefined || changes.disabled === true || changes.role !== undefined;
        const tokensValidFrom = loses ? clock.wall() : before.tokensValidFrom;
        const defined = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
        const after = await users.put({ ...before, ...(defined as Partial<User>), passwordHash, tokensValidFrom });
        if (loses) await logins.endAll(after.id);
        gate.recheck();
        const detail = Object.keys(body).join(' ');
        audit.record({ actor: principal.name, ip, action: 'user.change', target: after.name, result: 'ok', detail });
        return userOf(after);
      },
    }),
    route({
      method: 'delete',
      path: '/users/{id}',
      tag: 'Users',
      summary: 'Delete a user, and end the sessions that the user began',
      needs: 'admin',
      limited: 'changes',
      params: id,
      handle: async ({ params, principal, ip }) => {
        const user = find(params.id);
        keepAnAdmin(user);
        await users.delete(user.id);
        await logins.endAll(user.id);
        gate.recheck();
        audit.record({ actor: principal.name, ip, action: 'user.delete', target: user.name, result: 'ok' });
        return undefined;
      },
    }),
  ];
}
