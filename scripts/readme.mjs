// npm run readme: puts the generated parts into docs/configuration.md. A test checks that they are up to date.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();
const file = join(root, 'docs/configuration.md');
const main = join(root, 'packages/server/dist/main.js');
const reference = execFileSync(process.execPath, [main, 'config-reference'], { encoding: 'utf8' }).trim();
const begin = /<!-- config-reference:.*-->\n/;
const text = readFileSync(file, 'utf8');
const start = text.search(begin) + (begin.exec(text)?.[0].length ?? 0);
const end = text.indexOf('<!-- /config-reference -->');
writeFileSync(file, `${text.slice(0, start)}${reference}\n${text.slice(end)}`);
