import type { Millis } from '@sluice/media';
import type { Finding } from './finding.js';

/** What the doctor found, and when. */
export interface Diagnosis {
  /** Wall clock. */
  readonly at: Millis;
  readonly findings: readonly Finding[];
}

/** Looks at the machine that the server runs on. */
export interface Doctor {
  /** Makes all checks, or gives what was found a moment ago. Takes seconds. Never throws: what can't be checked is a finding. */
  diagnose(): Promise<Diagnosis>;
}
