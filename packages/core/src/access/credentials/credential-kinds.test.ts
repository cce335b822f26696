import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Millis, millis } from '@sluice/media';
import fc from 'fast-check';
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Directory } from '../../accounts/directory.js';
import { hashKey, makeKey } from '../../accounts/keys.js';
import { PasswordVerifier } from '../../accounts/password-verifier.js';
import { hashPassword } from '../../accounts/passwords.js';
import type { StreamKey, User } from '../../accounts/records.js';
import { loadConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { Refusal } from '../../errors.js';
import { silentLogger } from '../../logger.js';
import { memoryStore } from '../../record-store.js';
import { parseStreamPath } from '../../stream-path.js';
import { type CheckedRequest, type CredentialCheck, CredentialChecks } from './credential-check.js';
import { type Credentials, credentialsOf } from './credentials.js';
import { FailureLimiter } from './failure-limiter.js';
import { JwtCheck } from './jwt-check.js';
import { PasswordCheck } from './password-check.js';
import { signUrl } from './signed-url.js';
import { SignedUrlCheck } from './signed-url-check.js';
import { StreamKeyCheck } from './stream-key-check.js';
import { TokenIssuer } from './token-issuer.js';
import { makeWmsAuth } from './wms-auth.js';
import { WmsAuthCheck } from './wms-auth-check.js';

const NOW = millis(Date.UTC(2026, 10, 21, 13, 5, 9));
const SECRET = 'a secret of more than 32 characters, for tests';
const time = { now: NOW, monotonic: 0 };
const clock = { wall: (): Millis => time.now, monotonic: () => millis(time.monotonic) };
const seconds = (offset: number) => Math.floor(NOW / 1000) + offset;

const request = (credentials: Credentials, over: Partial<CheckedRequest> = {}): CheckedRequest => ({
  action: 'play',
  protocol: 'http-flv',
  path: parseStreamPath('live/show'),
  ip: '192.0.2.1',
  credentials,
  query: new URLSearchParams(),
  ...over,
});

const invalid = { name: 'Refusal', code: 'credential-invalid' };
const expired = { name: 'Refusal', code: 'credential-expired' };

/** Each single character of a text changed once. */
const tampered = (text: string): string[] =>
  [...text].map((char, at) => text.slice(0, at) + (char === 'A' ? 'B' : 'A') + text.slice(at + 1));

describe('signed URLs', () => {
  const check = new SignedUrlCheck({ secret: () => SECRET, clock });
  const grant = { action: 'play', path: 'live/*', urlExpire: seconds(60) } as const;
  const verify = (sign: string, over: Partial<CheckedRequest> = {}) => check.verify(request({ sign }, over));

  it('hold for what they say', async () => {
    const sign = signUrl(SECRET, { ...grant, id: 'anna & co', streamExpire: seconds(600), ip: '192.0.2.0/24' });
    expect(await verify(sign)).toEqual({
      kind: 'signed-url',
      viewer: 'anna & co',
      credential: expect.stringMatching(/^[0-9a-f]{24}$/),
      expiresAt: seconds(600) * 1000,
      network: '192.0.2.0/24',
    });
    expect(await check.verify(request({}))).toBeUndefined();
  });

  it('are refused when anything of them is changed', async () => {
    const sign = signUrl(SECRET, { ...grant, id: 'anna' });
    for (const changed of tampered(sign)) await expect(verify(changed), changed).rejects.toMatchObject(invalid);
    for (const odd of [`${sign}.`, sign.split('.')[0] ?? '', `.${sign}`, `${sign}=`, ' ', '.']) {
      await expect(verify(odd)).rejects.toMatchObject(invalid);
    }
    await expect(verify(signUrl(`${SECRET}x`, grant))).rejects.toMatchObject(invalid);
  });

  it('are refused for another path, action or address', async () => {
    const bound = signUrl(SECRET, { ...grant, ip: '2001:db8::/32' });
    await expect(verify(bound, { ip: '2001:db8:1::9' })).resolves.toBeDefined();
    await expect(verify(bound, { ip: '2001:db9::9' })).rejects.toMatchObject(invalid);
    await expect(verify(bound)).rejects.toMatchObject(invalid);
    const free = signUrl(SECRET, grant);
    await expect(verify(free, { path: parseStreamPath('vip/show') })).rejects.toMatchObject(invalid);
    await expect(verify(free, { action: 'publish' })).rejects.toMatchObject(invalid);
  });

  it('end: the URL first, then the session', async () => {
    await expect(verify(signUrl(SECRET, { ...grant, urlExpire: seconds(0) }))).rejects.toMatchObject(expired);
    await expect(verify(signUrl(SECRET, { ...grant, streamExpire: seconds(-1) }))).rejects.toMatchObject(expired);
  });
});

describe('JWT', () => {
  let directory: string;
  let jwks: Server;
  let jwksUrl: string;
  let published: object[] = [];
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = { rsa: '', ec: '' };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-jwt-'));
    for (const [name, { publicKey }] of Object.entries({ rsa, ec })) {
      files[name as 'rsa' | 'ec'] = join(directory, `${name}.pem`);
      writeFileSync(files[name as 'rsa' | 'ec'], publicKey.export({ type: 'spki', format: 'pem' }));
    }
    jwks = createServer((_request, response) => response.end(JSON.stringify({ keys: published })));
    await new Promise<void>((done) => jwks.listen(0, '127.0.0.1', done));
    jwksUrl = `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/jwks.json`;
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await new Promise((done) => jwks.close(done));
  });

  const claims = { sub: 'anna', exp: seconds(600), actions: ['play'], paths: ['live/*'] };
  const shared = new TextEncoder().encode(SECRET);
  const token = (key: Uint8Array | KeyObject, alg: string, over: object = {}, header: object = {}) =>
    new SignJWT({ ...claims, ...over }).setProtectedHeader({ alg, ...header }).sign(key);
  const checkWith = (settings: Partial<Config['auth']['jwt']>) =>
    new JwtCheck({
      settings: () => ({ leewaySeconds: 5, ...settings }) as Config['auth']['jwt'],
      clock,
      log: silentLogger,
    });
  const hs256 = checkWith({ secret: SECRET });
  const verify = async (check: CredentialCheck, value: string | Promise<string>, over: Partial<CheckedRequest> = {}) =>
    check.verify(request({ token: await value }, over));

  it('holds for what its claims say, until it expires', async () => {
    expect(await verify(hs256, token(shared, 'HS256'))).toMatchObject({
      kind: 'jwt',
      viewer: 'anna',
      expiresAt: seconds(600) * 1000,
    });
    await expect(verify(hs256, token(shared, 'HS256'), { action: 'publish' })).rejects.toMatchObject(invalid);
    await expect(verify(hs256, token(shared, 'HS256', { paths: ['vip/*'] }))).rejects.toMatchObject(invalid);
    await expect(verify(hs256, token(shared, 'HS256', { ip: '198.51.100.1' }))).rejects.toMatchObject(invalid);
    await expect(verify(hs256, token(shared, 'HS256', { exp: seconds(-6) }))).rejects.toMatchObject(expired);
    await expect(verify(hs256, token(shared, 'HS256', { exp: seconds(-4) }))).resolves.toBeDefined();
    await expect(verify(hs256, token(shared, 'HS256', { nbf: seconds(60) }))).rejects.toMatchObject(invalid);
  });

  it.each(['exp', 'actions', 'paths'])('is refused without %s', async (claim) => {
    await expect(verify(hs256, token(shared, 'HS256', { [claim]: undefined }))).rejects.toMatchObject({
      ...invalid,
      message: expect.stringContaining(claim),
    });
  });

  it('is refused when it is tampered with, unsigned, or signed by somebody else', async () => {
    const good = await token(shared, 'HS256');
    const signature = good.lastIndexOf('.') + 1;
    for (const at of [0, 5, 40, signature, signature + 10]) {
      const bad = good.slice(0, at) + (good[at] === 'A' ? 'B' : 'A') + good.slice(at + 1);
      await expect(verify(hs256, bad)).rejects.toMatchObject(invalid);
    }
    await expect(verify(hs256, new UnsecuredJWT(claims).encode())).rejects.toMatchObject(invalid);
    const [head = '', body = ''] = good.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    await expect(verify(hs256, `${none}.${body}.`)).rejects.toMatchObject(invalid);
    await expect(verify(hs256, `${head}.${body}.`)).rejects.toMatchObject(invalid);
    await expect(verify(checkWith({ secret: `${SECRET}!` }), good)).rejects.toMatchObject(invalid);
    await expect(verify(checkWith({}), good)).rejects.toMatchObject(invalid);
  });

  it('is taken with a public key, by the algorithm of that key only', async () => {
    const byRsa = checkWith({ publicKeyFile: files.rsa });
    const byEc = checkWith({ publicKeyFile: files.ec });
    await expect(verify(byRsa, token(rsa.privateKey, 'RS256'))).resolves.toBeDefined();
    await expect(verify(byEc, token(ec.privateKey, 'ES256'))).resolves.toBeDefined();
    await expect(verify(byRsa, token(rsa.privateKey, 'PS256'))).rejects.toMatchObject(invalid);
    await expect(verify(byEc, token(other.privateKey, 'ES256'))).rejects.toMatchObject(invalid);
    // The public key is no secret: it must never count as one.
    const pem = new TextEncoder().encode(rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString());
    await expect(verify(byRsa, token(pem, 'HS256'))).rejects.toMatchObject(invalid);
  });

  it('has one name, however its signature is spelled', async () => {
    const good = await token(shared, 'HS256');
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // The last of 43 letters has two bits that no byte needs.
    const last = letters.indexOf(good.at(-1) ?? '');
    const spellings = [0, 1, 2, 3].map((bits) => good.slice(0, -1) + letters[(last & ~3) | bits]);
    const names = new Set<string | undefined>();
    for (const spelling of spellings) {
      const identity = await verify(hs256, spelling).catch(() => undefined);
      if (identity !== undefined) names.add(identity.credential);
    }
    expect([...names]).toEqual([(await verify(hs256, good))?.credential]);
  });

  it('minds issuer and audience where they are set', async () => {
    const strict = checkWith({ secret: SECRET, issuer: 'me', audience: 'sluice' });
    await expect(verify(strict, token(shared, 'HS256', { iss: 'me', aud: 'sluice' }))).resolves.toBeDefined();
    await expect(verify(strict, token(shared, 'HS256', { iss: 'me' }))).rejects.toMatchObject(invalid);
    await expect(verify(strict, token(shared, 'HS256', { iss: 'you', aud: 'sluice' }))).rejects.toMatchObject(invalid);
  });

  it("takes the keys of an issuer's JWKS, and doesn't take an outage for a wrong token", async () => {
    published = [{ ...(await exportJWK(ec.publicKey)), kid: 'one', alg: 'ES256' }];
    const byJwks = checkWith({ jwksUrl });
    await expect(verify(byJwks, token(ec.privateKey, 'ES256', {}, { kid: 'one' }))).resolves.toBeDefined();
    await expect(verify(byJwks, token(other.privateKey, 'ES256', {}, { kid: 'one' }))).rejects.toMatchObject(invalid);
    await expect(verify(byJwks, token(shared, 'HS256', {}, { kid: 'one' }))).rejects.toMatchObject(invalid);
    const gone = checkWith({ jwksUrl: 'http://127.0.0.1:1/jwks.json' });
    await expect(verify(gone, token(ec.privateKey, 'ES256', {}, { kid: 'one' }))).rejects.toMatchObject({
      code: 'callback-failed',
    });
  });
});

describe('WMSAuth tokens', () => {
  const settings = { key: 'old key', toleranceSeconds: 90 };
  const check = new WmsAuthCheck({ settings: () => settings, clock });
  const grant = { id: 'anna-web-1', validMinutes: 3, serverTime: NOW };
  const verify = (wmsAuth: string, over: Partial<CheckedRequest> = {}) => check.verify(request({ wmsAuth }, over));

  it('are those that a known handler makes', async () => {
    // Made by the PHP of the guide that came with these tokens, with this id, key, time and minutes.
    const made = Buffer.from(
      'server_time=11/21/2026 1:05:09 PM&hash_value=OrFkMgbKyM9Eym8tZ7nZXA==&validminutes=3&id=anna-web-1',
    ).toString('base64');
    const hash = /hash_value=([^&]+)/.exec(Buffer.from(makeWmsAuth('old key', grant), 'base64').toString())?.[1];
    const expected = (await import('node:crypto'))
      .createHash('md5')
      .update('anna-web-1old key11/21/2026 1:05:09 PM3')
      .digest('base64');
    expect(hash).toBe(expected);
    expect(makeWmsAuth('old key', grant)).toBe(
      Buffer.from(
        Buffer.from(made, 'base64')
          .toString()
          .replace(/hash_value=[^&]+/, `hash_value=${expected}`),
      ).toString('base64'),
    );
  });

  it('hold for their minutes and a little longer, and as little before', async () => {
    expect(await verify(makeWmsAuth('old key', grant))).toMatchObject({ kind: 'wms-auth', viewer: 'anna-web-1' });
    const at = (offsetSeconds: number) =>
      verify(makeWmsAuth('old key', { ...grant, serverTime: millis(NOW + offsetSeconds * 1000) }));
    await expect(at(-180 - 89)).resolves.toBeDefined();
    await expect(at(-180 - 91)).rejects.toMatchObject(expired);
    await expect(at(89)).resolves.toBeDefined();
    await expect(at(91)).rejects.toMatchObject(invalid);
  });

  it('are refused when they are tampered with, from another address, with another key, and for publishing', async () => {
    const text = Buffer.from(makeWmsAuth('old key', grant), 'base64').toString();
    for (const changed of tampered(text).filter((_, at) => at % 3 === 0)) {
      const shown = Buffer.from(changed).toString('base64');
      // Only the name of a field that doesn't count can change without harm, and then only to none.
      await verify(shown).then(
        () => expect(changed.replace(/&id=.*/, '')).not.toBe(text),
        (error: unknown) => expect(error).toBeInstanceOf(Refusal),
      );
    }
    const bound = makeWmsAuth('old key', { ...grant, ip: '192.0.2.1' });
    await expect(verify(bound)).resolves.toMatchObject({ network: '192.0.2.1' });
    await expect(verify(bound, { ip: '192.0.2.2' })).rejects.toMatchObject(invalid);
    await expect(verify(makeWmsAuth('new key', grant))).rejects.toMatchObject(invalid);
    await expect(verify(makeWmsAuth('old key', grant), { action: 'publish' })).rejects.toMatchObject(invalid);
  });

  it('survive a query that turned their plus signs into spaces', async () => {
    for (let minutes = 1; minutes < 40; minutes++) {
      const made = makeWmsAuth('old key', { ...grant, validMinutes: minutes, id: `>>>${minutes}` });
      await expect(verify(made.replaceAll('+', ' '))).resolves.toBeDefined();
    }
  });
});

describe('stream keys', () => {
  it('hold for their action and path, until they expire or are revoked', async () => {
    const keys = await Directory.load(memoryStore<StreamKey>());
    const check = new StreamKeyCheck({ keys, clock });
    const secret = makeKey('sk');
    const record: StreamKey = {
      id: 'k1',
      hash: hashKey(secret),
      label: 'OBS',
      action: 'publish',
      path: 'live/*',
      createdAt: NOW,
      expiresAt: millis(NOW + 1000),
    };
    await keys.put(record);
    const publish = (key: string, over: Partial<CheckedRequest> = {}) =>
      check.verify(request({ key }, { action: 'publish', ...over }));
    const identity = await publish(secret);
    expect(identity).toEqual({ kind: 'stream-key', credential: 'k1', expiresAt: NOW + 1000 });
    await expect(publish(`${secret}0`)).rejects.toMatchObject(invalid);
    await expect(publish(secret, { action: 'play' })).rejects.toMatchObject(invalid);
    await expect(publish(secret, { path: parseStreamPath('vip/show') })).rejects.toMatchObject(invalid);
    time.now = millis(NOW + 1000);
    await expect(publish(secret)).rejects.toMatchObject(expired);
    time.now = NOW;
    expect(identity && check.stillHolds(identity)).toBe(true);
    await keys.delete('k1');
    expect(identity && check.stillHolds(identity)).toBe(false);
    await expect(publish(secret)).rejects.toMatchObject(invalid);
    expect(JSON.stringify(record)).not.toContain(secret);
  });
});

describe('user and password', () => {
  const record: Omit<User, 'passwordHash'> = {
    id: 'u1',
    name: 'Anna',
    role: 'viewer',
    publish: [],
    play: ['live/*'],
    createdAt: NOW,
    tokensValidFrom: millis(0),
    disabled: false,
  };

  it('are checked, without regard to the case of the name, for the paths of the user', async () => {
    const users = await Directory.load(memoryStore<User>());
    await users.put({ ...record, passwordHash: await hashPassword('right one') });
    const check = new PasswordCheck({ users, verifier: new PasswordVerifier({ users, clock }) });
    const verify = (user: string, password: string, over: Partial<CheckedRequest> = {}) =>
      check.verify(request({ user, password }, over));
    const identity = await verify('anna', 'right one');
    expect(identity).toEqual({ kind: 'password', viewer: 'Anna', credential: 'u1' });
    await expect(verify('anna', 'wrong one')).rejects.toMatchObject(invalid);
    await expect(verify('bert', 'right one')).rejects.toMatchObject(invalid);
    await expect(verify('anna', 'right one', { action: 'publish' })).rejects.toMatchObject(invalid);
    const [before] = users.list();
    if (before !== undefined) await users.put({ ...before, disabled: true });
    await expect(verify('anna', 'right one')).rejects.toMatchObject(invalid);
    expect(identity && check.stillHolds(identity)).toBe(false);
  });

  it('keeps a flood of guesses within bounds', async () => {
    const users = await Directory.load(memoryStore<User>());
    const verifier = new PasswordVerifier({ users, clock });
    const answers = await Promise.allSettled(Array.from({ length: 80 }, (_, n) => verifier.verify('x', `guess ${n}`)));
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(64);
  });
});

describe('all kinds together', () => {
  it('throw nothing but refusals, whatever is shown', async () => {
    const config = loadConfig({});
    const checks: CredentialCheck[] = [
      new SignedUrlCheck({ secret: () => SECRET, clock }),
      new JwtCheck({ settings: () => ({ ...config.auth.jwt, secret: SECRET }), clock, log: silentLogger }),
      new WmsAuthCheck({ settings: () => ({ key: 'k', toleranceSeconds: 0 }), clock }),
      new StreamKeyCheck({ keys: await Directory.load(memoryStore<StreamKey>()), clock }),
    ];
    const all = new CredentialChecks(checks);
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.constantFrom('.', '..', 'a.b.c', 'e30.e30.'),
    );
    const shown = fc.record({ key: value, token: value, sign: value, wmsAuth: value });
    await fc.assert(
      fc.asyncProperty(shown, async (credentials) => {
        await expect(all.verify(request(credentials))).rejects.toBeInstanceOf(Refusal);
      }),
      { numRuns: 300 },
    );
    await expect(all.verify(request({}))).rejects.toMatchObject({ code: 'credential-missing' });
  });

  it('ask an address that has guessed too often no more, until a while later', async () => {
    const failures = new FailureLimiter({ perMinute: () => 3, clock });
    const all = new CredentialChecks([new SignedUrlCheck({ secret: () => SECRET, clock })], failures);
    const good = signUrl(SECRET, { action: 'play', path: '*/*', urlExpire: seconds(60) });
    const show = (sign: string, ip = '192.0.2.1') => all.verify(request({ sign }, { ip }));
    for (let n = 0; n < 3; n++) await expect(show('wrong')).rejects.toMatchObject(invalid);
    await expect(show(good)).rejects.toMatchObject({ code: 'too-many-failures' });
    await expect(show(good, '192.0.2.2')).resolves.toBeDefined();
    await expect(all.verify(request({}))).rejects.toMatchObject({ code: 'credential-missing' });
    time.monotonic += 20_000;
    await expect(show(good)).resolves.toBeDefined();
  });

  it.each(['sign', 'jwt', 'wms-auth'] as const)('take what the issuer makes: %s', async (kind) => {
    const config = loadConfig({
      environment: { SLUICE_AUTH_JWT_SECRET: SECRET, SLUICE_AUTH_WMS_AUTH_KEY: 'old key' },
    });
    const issuer = new TokenIssuer({ auth: () => config.auth, signingSecret: () => SECRET, clock });
    const all = new CredentialChecks([
      new SignedUrlCheck({ secret: () => SECRET, clock }),
      new JwtCheck({ settings: () => config.auth.jwt, clock, log: silentLogger }),
      new WmsAuthCheck({ settings: () => config.auth.wmsAuth, clock }),
    ]);
    const made = await issuer.issue(kind, {
      action: 'play',
      path: 'live/*',
      viewer: 'anna',
      ip: '192.0.2.1',
      validSeconds: 120,
    });
    const credentials = credentialsOf(new URLSearchParams({ [made.parameter]: made.value }));
    expect(await all.verify(request(credentials))).toMatchObject({ viewer: 'anna', network: '192.0.2.1' });
    await expect(all.verify(request(credentials, { ip: '192.0.2.2' }))).rejects.toMatchObject(invalid);
    expect(made.expiresAt).toBe(Math.floor(NOW / 1000) * 1000 + 120_000);
  });

  it('leave the decision to the one whose it is, and count whom that refuses', async () => {
    const decider: CredentialCheck = {
      verify: async ({ query }) => {
        if (query.get('auth') !== 'good') throw new Refusal('origin-refused', 'no');
        return { kind: 'origin' };
      },
    };
    const failures = new FailureLimiter({ perMinute: () => 2, clock });
    const all = new CredentialChecks([new SignedUrlCheck({ secret: () => SECRET, clock })], failures, ({ path }) =>
      path === 'live/show' ? decider : undefined,
    );
    const sign = signUrl(SECRET, { action: 'play', path: '*/*', urlExpire: seconds(60) });
    const show = (query: string) => all.verify(request({ sign }, { query: new URLSearchParams(query) }));
    await expect(show('auth=good')).resolves.toEqual({ kind: 'origin' });
    for (let n = 0; n < 2; n++) await expect(show('')).rejects.toMatchObject({ code: 'origin-refused' });
    await expect(show('auth=good')).rejects.toMatchObject({ code: 'too-many-failures' });
  });

  it.each([
    [{ action: 'publish' }, /for watching only/],
    [{ viewer: 'anna' }, /names no viewer/],
    [{ path: '*/show' }, /for one stream, or for all of an app/],
  ] as const)('are made for a CDN only as it can check them: %j', async (wrong, message) => {
    const config = loadConfig({ environment: { SLUICE_AUTH_CDN_SECRET: SECRET } });
    const issuer = new TokenIssuer({ auth: () => config.auth, signingSecret: () => SECRET, clock });
    const grant = { action: 'play', path: 'live/show', validSeconds: 60 } as const;
    expect(await issuer.issue('cdn', grant)).toMatchObject({
      parameter: 'path',
      value: expect.stringMatching(/^~\d+~L2xpdmUvc2hvdw~[\w-]{43}$/),
    });
    await expect(issuer.issue('cdn', { ...grant, ...wrong })).rejects.toThrow(message);
  });
});
