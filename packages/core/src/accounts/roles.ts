/** What somebody may do on the control plane. Each role holds what those after it hold. */
export const ROLES = ['admin', 'operator', 'viewer'] as const;

/**
 * `viewer` reads streams, sessions, recordings and figures; `operator` also ends sessions, bans, makes keys and tokens,
 * and begins, ends, checks and removes recordings; `admin` also manages users, API keys and the configuration, and reads
 * the audit log.
 */
export type Role = (typeof ROLES)[number];

export function isRole(text: unknown): text is Role {
  return ROLES.includes(text as Role);
}

/** Whether a role holds all that another one does. */
export function roleCovers(held: Role, needed: Role): boolean {
  return ROLES.indexOf(held) <= ROLES.indexOf(needed);
}
