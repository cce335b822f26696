// After a build: fails where the player has become too big. hls.js is not in the sum, because it is loaded when it is needed.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const MOST_BYTES = 250_000;
const ENTRY = 'sluice-player.js';
const ON_DEMAND = /^hls-engine-/;
const assets = fileURLToPath(new URL('../dist/assets/', import.meta.url));
const there = new Set(readdirSync(assets));

/** The module and all that it loads, at once or later. */
function modulesOf(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const text = readFileSync(assets + name, 'utf8');
  for (const [, next] of text.matchAll(/["'`]\.\/([\w.-]+\.js)["'`]/g)) if (there.has(next)) modulesOf(next, found);
  return found;
}

const sizes = [...modulesOf(ENTRY)].map((name) => [name, gzipSync(readFileSync(assets + name)).length]);
for (const [name, bytes] of sizes) console.log(`${name} ${(bytes / 1000).toFixed(1)} kB gzip`);
const sum = sizes.reduce((all, [name, bytes]) => (ON_DEMAND.test(name) ? all : all + bytes), 0);
const engines = sizes.filter(([name]) => ON_DEMAND.test(name)).length;
console.log(`The player without hls.js: ${(sum / 1000).toFixed(1)} of ${MOST_BYTES / 1000} kB.`);
if (engines !== 1)
  throw new Error(`${ENTRY} loads ${engines} modules with hls.js, not 1: this measures the wrong thing`);
if (sum > MOST_BYTES) throw new Error(`the player has ${sum} bytes, more than ${MOST_BYTES}`);
