import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ApiKey,
  type Clock,
  Directory,
  hashKey,
  hashPassword,
  loadConfig,
  makeKey,
  memoryStore,
  PasswordVerifier,
  type RefreshToken,
  silentLogger,
  type User,
} from '@sluice/core';
import { millis } from '@sluice/media';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AccessTokens } from './access-tokens.js';
import { Authenticator } from './authenticator.js';
import { Logins } from './logins.js';
import { Oidc } from './oidc.js';

const SECRET = 'a secret that signs access tokens in tests';
const START = Date.UTC(2026, 10, 21);
const DAY_MS = 86_400_000;

describe('who uses the control API', () => {
  const time = { now: START };
  const clock: Clock = { wall: () => millis(time.now), monotonic: () => millis(time.now - START) };
  const servers: Server[] = [];
  let environment: Record<string, string> = {};
  const settings = () => loadConfig({ environment }).api;
  let users: Directory<User>;
  let apiKeys: Directory<ApiKey>;
  let logins: Logins;
  let authenticator: Authenticator;
  let accessTokens: AccessTokens;
  let anna: User;

  beforeEach(async () => {
    time.now = START;
    environment = {};
    users = await Directory.load(memoryStore<User>());
    apiKeys = await Directory.load(memoryStore<ApiKey>());
    anna = await users.put({
      id: 'u1',
      name: 'Anna',
      role: 'operator',
      passwordHash: await hashPassword('a long password'),
      publish: [],
      play: [],
      createdAt: clock.wall(),
      tokensValidFrom: millis(0),
      disabled: false,
    });
    accessTokens = new AccessTokens({ secret: SECRET, clock });
    const refreshTokens = await Directory.load(memoryStore<RefreshToken>());
    logins = new Logins({ settings, users, refreshTokens, accessTokens, clock });
    const passwords = new PasswordVerifier({ users, clock });
    const oidc = new Oidc({ settings: () => settings().oidc, clock, log: silentLogger });
    authenticator = new Authenticator({ settings, users, apiKeys, passwords, accessTokens, oidc, clock });
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
  });

  const bearer = (token: string) => authenticator.principalOf(`Bearer ${token}`);

  it('is nobody without a credential, and not known with a wrong one', async () => {
    expect(await authenticator.principalOf(undefined)).toMatchObject({ kind: 'anonymous' });
    for (const wrong of ['', 'Bearer', 'Bearer x', 'Basic !', 'Digest x', `Basic ${btoa('anna:wrong')}`]) {
      expect(await authenticator.principalOf(wrong), wrong).toBeUndefined();
    }
  });

  it('is a user by password, with the scopes of the role', async () => {
    const principal = await authenticator.principalOf(`Basic ${btoa('anna:a long password')}`);
    expect(principal).toMatchObject({ kind: 'user', name: 'user:Anna', userId: 'u1' });
    expect([...(principal?.scopes ?? [])]).toEqual(['read', 'sessions', 'keys']);
  });

  it('is a user by access token, until it expires, the user is disabled, or tokens are called in', async () => {
    const { accessToken } = await logins.begin(anna);
    expect(await bearer(accessToken)).toMatchObject({ name: 'user:Anna' });
    time.now += 599_000;
    expect(await bearer(accessToken)).toBeDefined();
    time.now += 2000;
    expect(await bearer(accessToken)).toBeUndefined();
    time.now = START;
    await users.put({ ...anna, disabled: true });
    expect(await bearer(accessToken)).toBeUndefined();
    await users.put({ ...anna, tokensValidFrom: millis(START + 1000) });
    expect(await bearer(accessToken)).toBeUndefined();
    await users.delete('u1');
    expect(await bearer(accessToken)).toBeUndefined();
  });

  it('is nobody by a token of somebody else’s making', async () => {
    const claims = { sub: 'u1', iss: 'sluice', aud: 'sluice-control', iat: START / 1000, exp: START / 1000 + 60 };
    const key = new TextEncoder().encode(SECRET);
    const sign = (over: object, alg: string, secret = key) =>
      new SignJWT({ ...claims, ...over }).setProtectedHeader({ alg }).sign(secret);
    expect(await bearer(await sign({}, 'HS256'))).toBeDefined();
    expect(await bearer(await sign({}, 'HS512'))).toBeUndefined();
    expect(await bearer(await sign({ aud: 'players' }, 'HS256'))).toBeUndefined();
    expect(await bearer(await sign({ iss: 'other' }, 'HS256'))).toBeUndefined();
    expect(await bearer(await sign({ exp: undefined }, 'HS256'))).toBeUndefined();
    expect(await bearer(await sign({}, 'HS256', new TextEncoder().encode(`${SECRET}!`)))).toBeUndefined();
    expect(await bearer(new UnsecuredJWT(claims).encode())).toBeUndefined();
  });

  it('is an API key with its own scopes, until it expires or is revoked', async () => {
    const key = makeKey('api');
    const expiresAt = millis(START + 1000);
    await apiKeys.put({
      id: 'k',
      hash: hashKey(key),
      label: 'ci',
      scopes: ['read'],
      createdAt: clock.wall(),
      expiresAt,
    });
    expect(await bearer(key)).toMatchObject({ kind: 'api-key', name: 'api-key:ci', scopes: new Set(['read']) });
    time.now += 1000;
    expect(await bearer(key)).toBeUndefined();
    time.now = START;
    await apiKeys.delete('k');
    expect(await bearer(key)).toBeUndefined();
  });

  it('is the key of the configuration, and no other text', async () => {
    environment = { SLUICE_API_TOKEN: 'sixteen letters!' };
    expect(await bearer('sixteen')).toBeUndefined();
    expect(await authenticator.principalOf('Bearer sixteen letters!')).toBeUndefined();
    environment = { SLUICE_API_TOKEN: 'sixteen-letters!' };
    expect(await bearer('sixteen-letters!')).toMatchObject({ kind: 'api-token' });
    environment = {};
    expect(await bearer('sixteen-letters!')).toBeUndefined();
  });

  it('is somebody whom an OpenID issuer knows, with the highest role that the token names', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' };
    const server = createServer((request, response) => {
      const isDiscovery = request.url === '/.well-known/openid-configuration';
      response.end(JSON.stringify(isDiscovery ? { jwks_uri: `${issuer}/keys` } : { keys: [jwk] }));
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const sign = (over: object) =>
      new SignJWT({ sub: 'bert', iss: issuer, aud: 'sluice', exp: START / 1000 + 60, ...over })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .sign(privateKey);
    const token = await sign({ realm: { roles: ['viewer', 'operator', 'cook'] } });
    expect(await bearer(token)).toBeUndefined();
    environment = {
      SLUICE_API_OIDC_ISSUER: issuer,
      SLUICE_API_OIDC_AUDIENCE: 'sluice',
      SLUICE_API_OIDC_ROLE_CLAIM: 'realm.roles',
    };
    expect(await bearer(token)).toMatchObject({ kind: 'oidc', name: 'oidc:bert', scopes: expect.any(Set) });
    expect((await bearer(token))?.scopes.has('sessions')).toBe(true);
    expect((await bearer(token))?.scopes.has('admin')).toBe(false);
    expect(await bearer(await sign({ realm: { roles: ['cook'] } }))).toBeUndefined();
    expect(await bearer(await sign({ realm: { roles: 'admin' }, aud: 'other' }))).toBeUndefined();
    expect(await bearer(await sign({ realm: { roles: 'admin' }, exp: START / 1000 - 60 }))).toBeUndefined();
    server.closeAllConnections();
  });

  it('renews a login with each refresh token once; one that comes back ends all of that login', async () => {
    const first = await logins.begin(anna);
    const second = await logins.renew(first.refreshToken);
    expect(second?.refreshToken).not.toBe(first.refreshToken);
    // Two tabs at once are no thief.
    time.now += 5000;
    expect(await logins.renew(first.refreshToken)).toBeDefined();
    const other = await logins.begin(anna);
    time.now += 60_000;
    expect(await logins.renew(first.refreshToken)).toBeUndefined();
    expect(await logins.renew(second?.refreshToken ?? '')).toBeUndefined();
    expect(await logins.renew(other.refreshToken)).toBeDefined();
  });

  it('renews no login that is too old, of a disabled user, or that was ended', async () => {
    const old = await logins.begin(anna);
    time.now += 15 * DAY_MS;
    expect(await logins.renew(old.refreshToken)).toBeUndefined();
    const ended = await logins.begin(anna);
    expect((await logins.end(ended.refreshToken))?.id).toBe('u1');
    expect(await logins.renew(ended.refreshToken)).toBeUndefined();
    const [one, two] = [await logins.begin(anna), await logins.begin(anna)];
    await logins.endAll('u1');
    expect([await logins.renew(one.refreshToken), await logins.renew(two.refreshToken)]).toEqual([
      undefined,
      undefined,
    ]);
    const last = await logins.begin(anna);
    await users.put({ ...anna, disabled: true });
    expect(await logins.renew(last.refreshToken)).toBeUndefined();
  });
});
