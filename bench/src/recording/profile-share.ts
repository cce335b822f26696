import { readFile } from 'node:fs/promises';
import type { CpuProfile } from '../webrtc/profile-summary.js';

/** Inner nodes tell of the nodes below them. */
interface ProfileTree extends CpuProfile {
  readonly nodes: readonly (CpuProfile['nodes'][number] & { readonly children?: readonly number[] })[];
}

/**
 * The share of the time in which there was something to do that was spent in calls from some place, all that they call
 * included. The garbage collector's time is left out, as nobody's.
 *
 * @param place part of the file's URL
 */
export async function shareOf(file: string, place: string): Promise<number> {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, 'utf8')) as ProfileTree;
  const inside = new Set(nodes.filter(({ callFrame }) => callFrame.url.includes(place)).map(({ id }) => id));
  // A node comes before those below it.
  for (const { id, children = [] } of nodes) if (inside.has(id)) for (const child of children) inside.add(child);
  const nobodys = new Set(nodes.filter(({ callFrame }) => NOBODYS.has(callFrame.functionName)).map(({ id }) => id));
  let [there, busy] = [0, 0];
  for (const [at, sample] of samples.entries()) {
    if (nobodys.has(sample)) continue;
    const time = timeDeltas[at + 1] ?? 0;
    busy += time;
    if (inside.has(sample)) there += time;
  }
  return there / busy;
}

const NOBODYS: ReadonlySet<string> = new Set(['(idle)', '(garbage collector)']);
