import { Refusal } from '../../errors.js';
import { pathFits } from '../../path-pattern.js';
import type { Identity } from '../session.js';
import type { CheckedRequest } from './credential-check.js';
import { networkAllows } from './network-binding.js';

/** What a credential is good for. */
export interface Grant {
  /** How messages call it: `the signed URL`. */
  readonly name: string;
  readonly actions: readonly string[];
  /** Patterns. */
  readonly paths: readonly string[];
  readonly network?: string | undefined;
}

/** @throws {Refusal} `credential-invalid`, saying what it isn't good for */
export function checkGrant({ name, actions, paths, network }: Grant, { action, path, ip }: CheckedRequest): void {
  if (!actions.includes(action)) throw new Refusal('credential-invalid', `${name} is not for ${action}`);
  if (!paths.some((pattern) => pathFits(pattern, path))) {
    throw new Refusal('credential-invalid', `${name} is for another path than ${path}`);
  }
  const bound: Identity = { kind: 'anonymous', network };
  if (!networkAllows(bound, ip)) throw new Refusal('credential-invalid', `${name} doesn't hold from ${ip}`);
}
