import type { ApiScope, Role, User } from '@sluice/core';

/** Who uses the control API, and what they may do. */
export interface Principal {
  readonly kind: 'anonymous' | 'user' | 'api-key' | 'api-token' | 'oidc';
  /** As the audit log names it: `user:anna`. */
  readonly name: string;
  readonly scopes: ReadonlySet<ApiScope>;
  /** Of a user. */
  readonly userId?: string;
}

export const ANONYMOUS: Principal = { kind: 'anonymous', name: 'anonymous', scopes: new Set() };

/** What each role may do. */
export const SCOPES_OF: Readonly<Record<Role, ReadonlySet<ApiScope>>> = {
  admin: new Set(['read', 'sessions', 'keys', 'config', 'admin']),
  operator: new Set(['read', 'sessions', 'keys']),
  viewer: new Set(['read']),
};

export function principalOfUser({ id, name, role }: User): Principal {
  return { kind: 'user', name: `user:${name}`, scopes: SCOPES_OF[role], userId: id };
}
