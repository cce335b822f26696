import { readdirSync, readFileSync } from 'node:fs';

interface FoundProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The processes that one has started, this one by default, and those that they have. With `root`, that one as well. */
export function descendants(root?: number): FoundProcess[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? read(Number(name)) : []));
  const found = all.filter(({ pid }) => pid === root);
  for (let parents = new Set([root ?? process.pid]); parents.size > 0; ) {
    const children = all.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    parents = new Set(children.map(({ pid }) => pid));
  }
  return found;
}

function read(pid: number): FoundProcess[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return [{ pid, parent: Number(parent), command }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
