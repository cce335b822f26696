import { readFileSync } from 'node:fs';

/** A file of Linux's /proc; nothing where there is none. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
