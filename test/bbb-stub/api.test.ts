import { createHash } from 'node:crypto';
import { XMLParser } from 'fast-xml-parser';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';
import { BbbStub, type StubOptions } from './src/index.js';

interface Answer {
  readonly returncode: string;
  readonly messageKey?: string;
  readonly [name: string]: unknown;
}

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@' });

describe('the API of the stub', () => {
  let stub: BbbStub | undefined;
  afterEach(async () => {
    await stub?.stop();
    stub = undefined;
  });
  const start = async (options: StubOptions = {}): Promise<BbbStub> => {
    stub = await BbbStub.start(options);
    return stub;
  };
  const read = async (url: string): Promise<Answer> => parser.parse(await (await fetch(url)).text()).response;
  const ask = (to: BbbStub, call: string, parameters: Record<string, string> = {}) =>
    read(to.signedUrl(call, parameters));
  const signedBy = (to: BbbStub, algorithm: string, query: string) => {
    const hash = createHash(algorithm).update(`getMeetings${query}${to.secret}`).digest('hex');
    return `${to.url}/getMeetings?${query}${query === '' ? '' : '&'}checksum=${hash}`;
  };

  it('tells its version to anybody', async () => {
    const to = await start();
    expect(await read(to.url)).toMatchObject({ returncode: 'SUCCESS', version: 2 });
  });

  it.each([
    ['2.2', 'sha1', 'SUCCESS'],
    ['2.2', 'sha256', 'SUCCESS'],
    ['2.2', 'sha512', 'FAILED'],
    ['2.7', 'sha384', 'SUCCESS'],
    ['3.0', 'sha512', 'SUCCESS'],
  ] as const)('of %s takes a %s checksum: %s', async (skin, algorithm, returncode) => {
    const to = await start({ skin });
    expect(await read(signedBy(to, algorithm, ''))).toMatchObject({ returncode });
  });

  it('takes only the algorithms that it is told to', async () => {
    const to = await start({ algorithms: ['sha512'] });
    expect(await read(signedBy(to, 'sha256', ''))).toMatchObject({ messageKey: 'checksumError' });
    expect(await read(signedBy(to, 'sha512', ''))).toMatchObject({ returncode: 'SUCCESS' });
  });

  it('signs the query byte for byte, wherever the checksum stands', async () => {
    const to = await start();
    const url = signedBy(to, 'sha256', 'a=1%20+%C3%A4&b=');
    expect(await read(url)).toMatchObject({ returncode: 'SUCCESS' });
    const hash = new URL(url).searchParams.get('checksum');
    expect(await read(`${to.url}/getMeetings?checksum=${hash}&a=1%20+%C3%A4&b=`)).toMatchObject({
      returncode: 'SUCCESS',
    });
    expect(await read(url.replace('%20', '+'))).toMatchObject({ messageKey: 'checksumError' });
  });

  it('tells failures in the shape of its generation, or as asked', async () => {
    const unsigned = '/getMeetings';
    const old = await start({ skin: '2.2' });
    expect((await read(old.url + unsigned)).errors).toMatchObject({ error: { '@key': 'checksumError' } });
    expect(await ask(old, 'getMeetingInfo', { meetingID: 'none' })).toMatchObject({ messageKey: 'notFound' });
    await old.stop();
    const elements = await start({ errorShape: 'elements' });
    expect((await read(elements.url + unsigned)).errors).toMatchObject({ error: { key: 'checksumError' } });
    await elements.stop();
    const to = await start();
    expect(await read(to.url + unsigned)).toMatchObject({ returncode: 'FAILED', messageKey: 'checksumError' });
  });

  it('makes a meeting, tells of it, and ends it some time after it was asked to', async () => {
    const to = await start({ endDelayMs: 1000 });
    const made = await ask(to, 'create', { meetingID: 'one', name: 'One & all', moderatorPW: 'mod' });
    expect(made).toMatchObject({ returncode: 'SUCCESS', meetingID: 'one' });
    expect(await ask(to, 'create', { meetingID: 'one', name: 'One' })).toMatchObject({
      messageKey: 'duplicateWarning',
    });
    const other = await ask(to, 'create', { meetingID: 'one', name: 'One', moderatorPW: 'x' });
    expect(other).toMatchObject({ messageKey: 'idNotUnique' });
    const info = await ask(to, 'getMeetingInfo', { meetingID: 'one' });
    expect(info).toMatchObject({ createTime: made.createTime, running: false, hasBeenForciblyEnded: false });
    expect(info.meetingName).toBe('One & all');
    expect(await ask(to, 'end', { meetingID: 'one', password: 'no' })).toMatchObject({ messageKey: 'invalidPassword' });
    const ended = await ask(to, 'end', { meetingID: 'one', password: 'mod' });
    expect(ended).toMatchObject({ messageKey: 'sentEndMeetingRequest' });
    expect(await ask(to, 'getMeetingInfo', { meetingID: 'one' })).toMatchObject({ hasBeenForciblyEnded: true });
    await until('it has ended', async () => {
      return (await ask(to, 'getMeetingInfo', { meetingID: 'one' })).messageKey === 'notFound';
    });
    expect(await ask(to, 'isMeetingRunning', { meetingID: 'one' })).toMatchObject({ running: false });
    expect(await ask(to, 'getMeetings')).toMatchObject({ messageKey: 'noMeetings' });
  });

  it('begins a meeting again with a later createTime', async () => {
    const to = await start();
    const first = to.meetings.create({ meetingID: 'one' });
    first.act({ do: 'restart' });
    const second = to.meetings.get('one');
    expect(first.state).toBe('ended');
    expect(second?.createTime).toBeGreaterThan(first.createTime);
    expect(await ask(to, 'isMeetingRunning', { meetingID: 'one' })).toMatchObject({ running: true });
  });

  it('takes chat messages of 3.0', async () => {
    const to = await start();
    const meeting = to.meetings.create({ meetingID: 'one' });
    expect(await ask(to, 'sendChatMessage', { meetingID: 'one', message: 'Hello', userName: 'Bot' })).toMatchObject({
      returncode: 'SUCCESS',
    });
    expect(meeting.chat).toEqual([{ from: 'Bot', text: 'Hello' }]);
    expect(await ask(to, 'sendChatMessage', { meetingID: 'one', message: 'x'.repeat(501) })).toMatchObject({
      messageKey: 'validationError',
    });
    await to.stop();
    const old = await start({ skin: '2.7' });
    old.meetings.create({ meetingID: 'one' });
    expect(await ask(old, 'sendChatMessage', { meetingID: 'one', message: 'Hello' })).toMatchObject({
      messageKey: 'unsupportedRequest',
    });
  });

  it('goes wrong as it is told to, and not for longer', async () => {
    const to = await start();
    to.faults.add({ call: 'getMeetings', kind: 'error', status: 503 });
    to.faults.add({ call: 'getMeetings', kind: 'malformed' });
    to.faults.add({ call: 'getMeetings', kind: 'reset' });
    to.faults.add({ call: 'getMeetings', kind: 'slow', ms: 200 });
    const url = to.signedUrl('getMeetings', {});
    expect((await fetch(url)).status).toBe(503);
    expect(await (await fetch(url)).text()).not.toContain('</response>');
    await expect(fetch(url)).rejects.toThrow();
    const before = Date.now();
    expect(await read(url)).toMatchObject({ returncode: 'SUCCESS' });
    expect(Date.now() - before).toBeGreaterThanOrEqual(195);
    expect(to.calls.map(({ answer }) => answer)).toEqual(['fault', 'fault', 'fault', 'SUCCESS']);
  });

  describe('join', () => {
    const joinXml = (to: BbbStub, parameters: Record<string, string>) =>
      ask(to, 'join', { fullName: 'Bot', meetingID: 'one', redirect: 'false', ...parameters });

    it('gives a session and its cookie, and leads to the client', async () => {
      const to = await start();
      to.meetings.create({ meetingID: 'one' });
      to.meetings.create({ meetingID: 'old', skin: '2.4' });
      const answer = await fetch(to.joinUrl({ meetingID: 'one', fullName: 'Bot' }), { redirect: 'manual' });
      expect(answer.status).toBe(302);
      expect(answer.headers.get('location')).toMatch(/^\/html5client\/\?sessionToken=/);
      const cookie = answer.headers.get('set-cookie') ?? '';
      expect(cookie).toMatch(/^JSESSIONID=[0-9A-F]{32}; Path=\/; HttpOnly$/);
      const old = await fetch(to.joinUrl({ meetingID: 'old', fullName: 'Bot' }), { redirect: 'manual' });
      expect(old.headers.get('location')).toMatch(/^\/html5client\/join\?sessionToken=/);
      const session = new URL(answer.headers.get('location') ?? '', to.origin).search;
      expect((await fetch(`${to.url}/enter${session}`)).status).toBe(401);
      const entered = await fetch(`${to.url}/enter${session}`, { headers: { cookie: cookie.split(';')[0] ?? '' } });
      expect(entered.status).toBe(200);
    });

    it.each([
      ['no name', { fullName: '' }, 'missingParamFullName'],
      ['a wrong password', { password: 'no' }, 'invalidPassword'],
      ['no password', {}, 'invalidPassword'],
      ['no such meeting', { meetingID: 'none', password: 'ap' }, 'invalidMeetingIdentifier'],
      ['an earlier meeting', { createTime: '1', password: 'ap' }, 'mismatchCreateTimeParam'],
    ])('refuses %s', async (_, parameters: Record<string, string>, messageKey) => {
      const to = await start();
      to.meetings.create({ meetingID: 'one' });
      expect(await joinXml(to, parameters)).toMatchObject({ returncode: 'FAILED', messageKey });
    });

    it('refuses who comes too late, is one too many, or a guest', async () => {
      const to = await start();
      to.meetings.create({ meetingID: 'full', maxParticipants: 1 });
      to.meetings.create({ meetingID: 'closed', guestPolicy: 'ALWAYS_DENY' });
      to.meetings.create({ meetingID: 'over' }).act({ do: 'end' });
      const key = async (meetingID: string) => (await joinXml(to, { meetingID, role: 'VIEWER' })).messageKey;
      expect(await key('full')).toBe('maxParticipantsReached');
      expect(await key('closed')).toBe('guestDeny');
      expect(await key('over')).toBe('meetingForciblyEnded');
    });

    it('takes a role instead of a password from 2.4 on', async () => {
      const to = await start();
      to.meetings.create({ meetingID: 'one' });
      expect(await joinXml(to, { role: 'VIEWER' })).toMatchObject({ returncode: 'SUCCESS', guestStatus: 'ALLOW' });
      await to.stop();
      const old = await start({ skin: '2.2' });
      old.meetings.create({ meetingID: 'one' });
      expect(await joinXml(old, { role: 'VIEWER' })).toMatchObject({ messageKey: 'invalidPassword' });
      expect(await joinXml(old, { password: 'ap' })).toMatchObject({ returncode: 'SUCCESS' });
    });

    it('tells a browser of a failure by leading it out', async () => {
      const to = await start();
      const answer = await fetch(to.joinUrl({ meetingID: 'none', fullName: 'Bot' }), { redirect: 'manual' });
      const location = new URL(answer.headers.get('location') ?? '', to.origin);
      expect(location.pathname).toBe('/');
      const [error] = JSON.parse(location.searchParams.get('errors') ?? '[]');
      expect(error).toMatchObject({ key: 'invalidMeetingIdentifier' });
    });
  });

  it('is driven over HTTP', async () => {
    const to = await start();
    const post = (path: string, body: unknown = {}) =>
      fetch(`${to.origin}/stub/${path}`, { method: 'POST', body: JSON.stringify(body) });
    expect((await post('meetings', { meetingID: 'one', skin: '2.7' })).status).toBe(201);
    expect((await post('meetings/one/chat', { text: 'Hello' })).status).toBe(200);
    expect((await post('meetings/one/dance')).status).toBe(400);
    expect((await post('meetings/two/end')).status).toBe(404);
    expect((await post('faults', { kind: 'error' })).status).toBe(200);
    expect((await post('faults/clear')).status).toBe(200);
    const { url } = (await (await fetch(`${to.origin}/stub/meetings/one/join?fullName=Me`)).json()) as { url: string };
    expect((await fetch(url, { redirect: 'manual' })).headers.get('location')).toContain('sessionToken');
    const listed = await (await fetch(`${to.origin}/stub/meetings`)).json();
    expect(listed).toMatchObject([{ meetingID: 'one', skin: '2.7', chat: [{ text: 'Hello' }] }]);
  });
});
