import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BbbClient, type BbbClientOptions } from './bbb-client.js';
import { apiBase, callUrl, queryOf, refusalInUrl } from './call.js';
import { CHECKSUM_ALGORITHMS, checksumOf } from './checksum.js';
import { BbbError } from './errors.js';
import { readSecretFile } from './secret-file.js';
import { ApiServer, fail, ok, SECRET } from './testing/api-server.js';

let server: ApiServer;
beforeEach(async () => {
  server = new ApiServer();
  await server.listen();
});
afterEach(() => server.close());

const clientWith = (options: Partial<BbbClientOptions> = {}) =>
  new BbbClient({ url: server.url, secret: async () => SECRET, checksum: 'auto', ...options });
const MEETING = `<meetingName>Maths &amp; more</meetingName><meetingID>m 1</meetingID><createTime>1700000000123</createTime>
  <running>true</running><hasBeenForciblyEnded>false</hasBeenForciblyEnded><participantCount>1</participantCount>
  <listenerCount>1</listenerCount><voiceParticipantCount>0</voiceParticipantCount><attendeePW>ap</attendeePW>
  <attendees><attendee><userID>w_1</userID><fullName><![CDATA[Zoë <3]]></fullName><role>VIEWER</role>
  <isListeningOnly>true</isListeningOnly><hasJoinedVoice>false</hasJoinedVoice></attendee></attendees>`;

describe('a request', () => {
  it('is signed as BigBlueButton documents it', () => {
    const signed = {
      call: 'create',
      query: 'name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444',
      secret: '639259d4-9dd8-4b25-bf01-95f9567eaf4b',
    };
    expect(checksumOf('sha1', signed)).toBe('1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17');
    expect(CHECKSUM_ALGORITHMS.map((algorithm) => checksumOf(algorithm, signed).length)).toEqual([64, 128, 40, 96]);
  });

  it('is sent byte by byte as it was signed, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', maxLength: 20 }), {
          maxKeys: 4,
        }),
        (parameters) => {
          const query = queryOf(parameters);
          const url = new URL(callUrl('https://x/api', 'join', parameters, { algorithm: 'sha256', secret: 's' }));
          const sum = createHash('sha256').update(`join${query}s`).digest('hex');
          expect(url.search).toBe(`?${query}${query === '' ? '' : '&'}checksum=${sum}`);
        },
      ),
    );
  });

  it('goes to the API, however its address is written', () => {
    for (const path of ['', '/', '/api', '/api/']) {
      expect(apiBase(`https://b.example/bigbluebutton${path}`)).toBe('https://b.example/bigbluebutton/api');
    }
    for (const url of ['b.example', 'ftp://b.example/', 'https://u:p@b.example/', 'https://b.example/?a', '']) {
      expect(() => apiBase(url)).toThrow(BbbError);
    }
  });
});

describe('BbbClient', () => {
  it('makes each call', async () => {
    const asked: string[] = [];
    const noted = (answer: string) => (query: URLSearchParams) => {
      query.delete('checksum');
      asked.push(query.toString());
      return answer;
    };
    server.answers = {
      getMeetingInfo: noted(ok(MEETING)),
      isMeetingRunning: noted(ok('<running>true</running>')),
      getMeetings: noted(ok(`<meetings><meeting>${MEETING}</meeting></meetings>`)),
      create: noted(ok('<meetingID>m 1</meetingID><createTime>5</createTime><attendeePW>x</attendeePW>')),
      end: noted(ok('<messageKey>sentEndMeetingRequest</messageKey>')),
      sendChatMessage: noted(ok('<sent>true</sent>')),
    };
    const client = clientWith();
    expect(await client.version()).toEqual({ api: '2.0', server: '3.0.16' });
    const info = await client.getMeetingInfo('m 1', 'ap');
    expect(info).toMatchObject({
      meetingId: 'm 1',
      name: 'Maths & more',
      createTime: 1_700_000_000_123,
      isRunning: true,
      attendees: [{ userId: 'w_1', name: 'Zoë <3', role: 'VIEWER', isListeningOnly: true, hasJoinedVoice: false }],
    });
    expect(await client.isMeetingRunning('m 1')).toBe(true);
    expect(await client.getMeetings()).toEqual([info]);
    expect(await client.create({ meetingId: 'm 1', name: 'N', parameters: { record: false } })).toMatchObject({
      createTime: 5,
      name: 'N',
    });
    await client.end('m 1', 'mp');
    await client.sendChatMessage('m 1', { message: `a${'😀'.repeat(501)}`, userName: 'Bot' });
    expect(asked.slice(0, -1)).toEqual([
      'meetingID=m+1&password=ap',
      'meetingID=m+1',
      '',
      'name=N&meetingID=m+1&record=false',
      'meetingID=m+1&password=mp',
    ]);
    expect(new URLSearchParams(asked.at(-1)).get('message')).toBe(`a${'😀'.repeat(249)}`);
  });

  it('knows no meetings from an empty list', async () => {
    server.answers = { getMeetings: ok('<meetings/><messageKey>noMeetings</messageKey><message/>') };
    expect(await clientWith().getMeetings()).toEqual([]);
  });

  it.each(CHECKSUM_ALGORITHMS)('finds out by itself that %s is taken, once', async (algorithm) => {
    server.algorithms = [algorithm];
    server.answers = { isMeetingRunning: ok('<running>false</running>') };
    const client = clientWith();
    await client.isMeetingRunning('m');
    expect(client.algorithm).toBe(algorithm);
    const tries = server.calls.length;
    expect(tries).toBe(CHECKSUM_ALGORITHMS.indexOf(algorithm) + 1);
    await client.isMeetingRunning('m');
    expect(server.calls).toHaveLength(tries + 1);
    // The server is replaced by another generation.
    server.algorithms = ['sha384'];
    await client.isMeetingRunning('m');
    expect(client.algorithm).toBe('sha384');
  });

  it('tries no other checksum than the one that is set, and none without a secret', async () => {
    server.algorithms = ['sha1'];
    await expect(clientWith({ checksum: 'sha256' }).getMeetings()).rejects.toMatchObject({ code: 'wrong-secret' });
    await expect(clientWith({ secret: undefined }).getMeetings()).rejects.toMatchObject({ code: 'wrong-secret' });
    expect(server.calls).toEqual(['getMeetings unsigned', 'getMeetings unsigned']);
    await expect(clientWith({ secret: async () => 'no' }).getMeetings()).rejects.toMatchObject({
      code: 'wrong-secret',
      messageKey: 'checksumError',
    });
  });

  it.each([
    ['notFound', 'no-meeting'],
    ['invalidMeetingIdentifier', 'no-meeting'],
    ['invalidPassword', 'wrong-password'],
    ['meetingForciblyEnded', 'meeting-ended-by-force'],
    ['maxParticipantsReached', 'meeting-full'],
    ['mismatchCreateTimeParam', 'link-expired'],
    ['missingSession', 'link-expired'],
    ['guestDeny', 'guest-denied'],
    ['validationError', 'refused'],
    ['missingParamMeetingID', 'refused'],
    ['', 'refused'],
  ])('tells %s as %s, in all shapes', async (key, code) => {
    const expected = { code, messageKey: key === '' ? undefined : key };
    const older = `<response><errors><error><key>${key}</key><message>no</message></error><error/></errors></response>`;
    const attributes = `<response><returncode>FAILED</returncode><errors><error key="${key}" message="&lt;no&gt;"/></errors></response>`;
    for (const answer of [fail(key, 'no'), older, attributes]) {
      server.answers = { getMeetingInfo: answer };
      await expect(clientWith().getMeetingInfo('m')).rejects.toMatchObject(expected);
    }
    const errors = JSON.stringify([{ key, message: 'no' }]);
    expect(refusalInUrl(`https://b.example/?errors=${encodeURIComponent(errors)}`)).toMatchObject(expected);
  });

  it('says what is wrong with a server that is none, or none of ours', async () => {
    const outcome = (answer: ApiServer['answers'][string]) => {
      server.answers = { getMeetings: answer };
      return clientWith({ timeoutMs: 5000, maxBytes: 10_000 }).getMeetings();
    };
    const bad = (message: RegExp) => ({ code: 'bad-answer', message: expect.stringMatching(message) });
    const gone = (message: RegExp) => ({ code: 'unreachable', message: expect.stringMatching(message) });
    await expect(outcome('<html></html>')).rejects.toMatchObject(bad(/no <response>/));
    await expect(outcome('')).rejects.toMatchObject(bad(/no XML/));
    await expect(outcome(ok('x'.repeat(20_000)))).rejects.toMatchObject(bad(/longer than 10000 bytes/));
    await expect(outcome(ok('<a>'.repeat(900) + '</a>'.repeat(900)))).rejects.toMatchObject(bad(/no XML/));
    await expect(
      outcome('<!DOCTYPE r [<!ENTITY a "b">]><response><returncode>&a;</returncode></response>'),
    ).rejects.toMatchObject(bad(/DOCTYPE/));
    await expect(outcome('<response><returncode>MAYBE</returncode></response>')).rejects.toMatchObject(bad(/MAYBE/));
    await expect(outcome({ status: 502, body: '<html>' })).rejects.toMatchObject(gone(/HTTP 502/));
    await expect(
      outcome({ status: 301, headers: { location: 'https://new.example/x?y' }, body: '' }),
    ).rejects.toMatchObject(bad(/on to https:\/\/new\.example:/));
    await expect(outcome(() => undefined)).rejects.toMatchObject(gone(/can't be asked/));
    await expect(clientWith({ timeoutMs: 1, fetch: slowFetch }).getMeetings()).rejects.toMatchObject(
      gone(/within 1 ms/),
    );
  });

  it('says what of its secret is missing', async () => {
    const secret = () => readSecretFile('/nowhere/secret');
    await expect(clientWith({ secret }).getMeetings()).rejects.toMatchObject({
      code: 'wrong-secret',
      message: expect.stringMatching(/\/nowhere\/secret is not there/),
    });
    await expect(clientWith({ secret: undefined }).getMeetings()).rejects.toThrow(/set bbb\.secretFile/);
  });

  it('stops asking when it is told to, and leaves nothing at the signal', async () => {
    const controller = new AbortController();
    server.answers = { getMeetings: ok('') };
    await clientWith().getMeetings(controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    const asking = clientWith({ fetch: slowFetch }).getMeetings(controller.signal);
    controller.abort(new Error('stopped'));
    await expect(asking).rejects.toThrow('stopped');
  });

  it('makes a link that the server takes, and that shows nothing of itself', async () => {
    server.algorithms = ['sha1'];
    let query = new URLSearchParams();
    server.answers = {
      isMeetingRunning: ok('<running>true</running>'),
      join: (asked) => {
        query = asked;
        return ok('');
      },
    };
    const link = await clientWith().joinLink({
      meetingId: 'm',
      name: 'Bot & Co.',
      userId: 'u1',
      role: 'VIEWER',
      password: 'ap',
      createTime: 7,
      userdata: { bbb_auto_join_audio: true },
      parameters: { bot: true },
    });
    await fetch(link.reveal());
    expect(server.calls.at(-1)).toBe('join signed');
    expect(query.get('checksum')).toMatch(/^[\da-f]{40}$/);
    query.delete('checksum');
    expect(Object.fromEntries(query)).toEqual({
      fullName: 'Bot & Co.',
      meetingID: 'm',
      password: 'ap',
      role: 'VIEWER',
      userID: 'u1',
      createTime: '7',
      redirect: 'true',
      bot: 'true',
      'userdata-bbb_auto_join_audio': 'true',
    });
    const shown = [`${link}`, JSON.stringify({ link }), inspect({ link }, { showHidden: true }), inspect(link)].join(
      '\n',
    );
    expect(shown).toMatch(/http:\/\/127\.0\.0\.1:\d+\/… \(hidden\)/);
    expect(shown).not.toMatch(/checksum|ap\b|u1/);
  });

  it('repeats neither query nor secret in an error', async () => {
    const url = server.url;
    await server.close();
    for (const fetch of [globalThis.fetch, () => Promise.reject(new TypeError('Failed to parse ?checksum=abc'))]) {
      const client = new BbbClient({ url, secret: async () => SECRET, checksum: 'sha256', fetch });
      const error: unknown = await client.getMeetingInfo('m', 'hush').catch((fault: unknown) => fault);
      expect(error).toMatchObject({ code: 'unreachable' });
      expect(inspect(error)).not.toMatch(/checksum|hush|mysecret/);
    }
    await server.listen();
  });
});

/** Never answers. */
const slowFetch: typeof fetch = (_url, init) =>
  new Promise((_done, failed) => {
    if (init?.signal?.aborted === true) failed(init.signal.reason);
    init?.signal?.addEventListener('abort', () => failed(init.signal?.reason));
  });
