import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@sluice/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certificateFindings } from './certificate.js';

const DAY_MS = 86_400_000;
const NAMES = 'subjectAltName=DNS:localhost';

let directory: string;
const file = (name: string) => join(directory, name);
const pem = (name: string) => readFile(file(`${name}.pem`), 'utf8');

/** Makes `name.pem` and `name.key`, signed by another one or by itself. */
function issue(name: string, issuer: string | undefined, extensions: readonly string[]): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(`${name}.key`)];
  const by = issuer === undefined ? [] : ['-CA', file(`${issuer}.pem`), '-CAkey', file(`${issuer}.key`)];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const subject = ['-subj', `/CN=${name}`, '-days', '90', '-out', file(`${name}.pem`)];
  execFileSync('openssl', ['req', '-x509', ...key, ...by, ...subject, ...added], { stdio: 'ignore' });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-certificate-'));
  issue('root', undefined, []);
  issue('intermediate', 'root', []);
  issue('leaf', 'intermediate', [NAMES, 'basicConstraints=CA:FALSE']);
  issue('self', undefined, [NAMES]);
  issue('nameless', 'root', ['basicConstraints=CA:FALSE']);
  // As some write them: the order in the file is not that of the chain.
  await writeFile(file('full.pem'), `${await pem('leaf')}${await pem('root')}${await pem('intermediate')}`);
  await writeFile(file('chain.pem'), `${await pem('leaf')}${await pem('intermediate')}`);
  await writeFile(file('broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  await writeFile(file('empty.pem'), 'nothing');
});
afterAll(() => rm(directory, { recursive: true }));

async function check(cert: string, key: string, { days = 0, known = true } = {}) {
  const tls = { certFile: file(`${cert}.pem`), keyFile: file(key) };
  const config = loadConfig({ file: { name: 'x', text: JSON.stringify({ tls }) } });
  const findings = await certificateFindings(
    config,
    new Date(Date.now() + days * DAY_MS),
    known ? await pem('root') : '',
  );
  return findings.map(
    (finding) => `${finding.status}, ${finding.check.replace('TLS certificate', '').slice(2)}: ${finding.found}`,
  );
}

it('finds a good one good', async () => {
  for (const cert of ['chain', 'full']) {
    expect(await check(cert, 'leaf.key')).toEqual([
      'ok, key: fits',
      expect.stringMatching(/^ok, time: valid for (89|90) days$/),
      expect.stringMatching(/^ok, chain: complete/),
      'ok, names: DNS:localhost',
    ]);
  }
  expect(await certificateFindings(loadConfig({}), new Date())).toEqual([]);
});

it('finds a chain that is cut, one that nobody knows, and one that is none', async () => {
  expect((await check('leaf', 'leaf.key'))[2]).toMatch(
    /^warning, chain: no certificate of its issuer \(CN=intermediate\)/,
  );
  expect((await check('chain', 'leaf.key', { known: false }))[2]).toMatch(/^warning, chain: it ends at .*CN=root/);
  expect((await check('self', 'self.key'))[2]).toMatch(/^warning, chain: signed by itself/);
});

it('finds a key of another, times that are over or to come, and names that are missing', async () => {
  expect((await check('chain', 'root.key'))[0]).toMatch(/^failed, key: .*root\.key is of another certificate/);
  expect((await check('chain', 'leaf.pem'))[0]).toMatch(/^failed, key: /);
  expect((await check('chain', 'leaf.key', { days: 80 }))[1]).toMatch(/^warning, time: expires in (9|10) days/);
  expect((await check('chain', 'leaf.key', { days: 91 }))[1]).toMatch(/^failed, time: expired/);
  expect((await check('chain', 'leaf.key', { days: -2 }))[1]).toMatch(/^failed, time: not valid before/);
  expect((await check('nameless', 'nameless.key'))[3]).toMatch(/^failed, names: none/);
});

it('finds files that are missing or hold something else', async () => {
  expect(await check('none', 'leaf.key')).toEqual([expect.stringMatching(/^failed, .*ENOENT/)]);
  expect(await check('broken', 'leaf.key')).toEqual([expect.stringMatching(/^failed, .*broken\.pem/)]);
  expect(await check('empty', 'leaf.key')).toEqual([expect.stringMatching(/^failed, .*holds none/)]);
});
