// Imports run one way: server → {api, ingest, delivery, storage, bbb-capture, cluster} → core → media, and protocols → media.
// A package may import what its package.json names, and these are the only names it may have.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fail, root } from './prepare.mjs';

/** Each package and those of ours that it may import. */
const LAYERS = {
  'packages/media': [],
  'packages/protocols/rtmp': ['@sluice/media'],
  'packages/protocols/srt': [],
  'packages/protocols/rtp': ['@sluice/media'],
  'packages/protocols/webrtc': ['@sluice/rtp'],
  'packages/core': ['@sluice/media'],
  'packages/ingest': ['@sluice/core', '@sluice/media', '@sluice/rtmp', '@sluice/rtp', '@sluice/srt', '@sluice/webrtc'],
  'packages/delivery': [
    '@sluice/core',
    '@sluice/media',
    '@sluice/rtmp',
    '@sluice/rtp',
    '@sluice/srt',
    '@sluice/webrtc',
  ],
  'packages/storage': ['@sluice/core', '@sluice/media'],
  'packages/bbb-capture': ['@sluice/core', '@sluice/media', '@sluice/rtmp', '@sluice/webrtc'],
  'packages/cluster': ['@sluice/core', '@sluice/media'],
  'packages/api': ['@sluice/core', '@sluice/media'],
  'packages/server': [
    '@sluice/api',
    '@sluice/bbb-capture',
    '@sluice/cluster',
    '@sluice/storage',
    '@sluice/core',
    '@sluice/delivery',
    '@sluice/ingest',
    '@sluice/media',
    '@sluice/rtmp',
    '@sluice/srt',
    '@sluice/webrtc',
    '@sluice/web-player',
  ],
  'web-player': [],
  bench: ['@sluice/media', '@sluice/rtmp', '@sluice/rtp', '@sluice/srt', '@sluice/server', '@sluice/webrtc'],
};
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;

const faults = [];
for (const [folder, allowed] of Object.entries(LAYERS)) {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  for (const name of declared) {
    if (name.startsWith('@sluice/') && !allowed.includes(name)) faults.push(`${folder}/package.json names ${name}`);
  }
  for (const file of sourcesOf(join(root, folder, 'src'))) checkFile(file, folder, allowed);
}
if (faults.length > 0) fail(`imports run the wrong way:\n  ${faults.join('\n  ')}`);
console.log('Imports run one way.');

function checkFile(file, folder, allowed) {
  const name = relative(root, file);
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    const [pack] = /^@sluice\/[^/]+/.exec(specifier) ?? [];
    if (pack !== undefined && !allowed.includes(pack)) faults.push(`${name} imports ${specifier}`);
    const leaves =
      specifier.startsWith('.') && relative(join(root, folder), join(file, '..', specifier)).startsWith('..');
    if (leaves && !name.endsWith('.test.ts')) faults.push(`${name} reaches out of its package: ${specifier}`);
  }
}

function* sourcesOf(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourcesOf(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}
