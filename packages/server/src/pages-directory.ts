import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the built pages are: they are a package of their own. */
export function pagesDirectory(): string {
  const manifest = createRequire(import.meta.url).resolve('@sluice/web-player/package.json');
  return join(dirname(manifest), 'dist');
}
