// npm run test:long: the test files that have more to do where there is time, in full.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './prepare.mjs';

const files = readdirSync(join(root, 'test'))
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => /\bIS_LONG\b/.test(readFileSync(join(root, 'test', name), 'utf8')))
  .map((name) => join('test', name));
run(process.execPath, ['scripts/test.mjs', ...files], { env: { ...process.env, TEST_LONG: '1' } });
