import type { FinishedFile } from '../disk/finisher-protocol.js';

/** What finishing a container's file finds; the rest is the same for all. */
export type FinishedMedia = Pick<FinishedFile, 'durationMs' | 'isFaststart' | 'repaired' | 'damage'>;
