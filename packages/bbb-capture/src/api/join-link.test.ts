import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BbbError } from './errors.js';
import { readJoinLink, tryJoinLink } from './join-link.js';
import { type Answer, ApiServer, ok } from './testing/api-server.js';

describe('readJoinLink', () => {
  it.each(['https://b.example/join?x=1', ' https://b.example:8443/j\n', 'http://127.0.0.1:1/j', 'http://[::1]/j'])(
    'takes %s',
    (text) => expect(readJoinLink(text).reveal()).toBe(text.trim()),
  );

  it.each([
    'http://b.example/hush',
    'http://127.0.0.1.b.example/hush',
    'http://localhost.b.example/hush',
    'https://user:hush@b.example/',
    'https://hush@b.example/',
    'javascript:hush',
    'file:///hush',
    'hush',
    '',
    `https://b.example/hush${'x'.repeat(9000)}`,
  ])('refuses %s, and repeats nothing of it', (text) => {
    let caught: unknown;
    try {
      readJoinLink(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(BbbError);
    expect(String(caught)).not.toMatch(/hush/);
  });
});

describe('tryJoinLink', () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = new ApiServer();
    await server.listen();
  });
  afterAll(() => server.close());

  it('says what BBB says of a link', async () => {
    // The link is somebody else's: how it is signed is not looked at here.
    const base = server.url.replace('/bigbluebutton/api', '');
    const redirect = (location: string) => ({ status: 302, headers: { location }, body: '' });
    const trying = (answer: Answer) => {
      server.answers = { '': answer };
      return tryJoinLink(readJoinLink(`${server.url}/`));
    };
    const errors = encodeURIComponent('[{"key":"mismatchCreateTimeParam","message":"old"}]');
    await expect(trying(redirect(`${base}/?errors=${errors}`))).rejects.toMatchObject({ code: 'link-expired' });
    await trying(redirect('/html5client/join?sessionToken=abc'));
    await expect(trying(redirect('https://logout.example/'))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/leads to logout\.example without a session/),
    });
    await trying(ok('<url>x</url>'));
    await expect(
      trying('<response><errors><error><key>guestDeny</key></error></errors></response>'),
    ).rejects.toMatchObject({ code: 'guest-denied' });
    await expect(trying({ status: 404, body: 'no' })).rejects.toMatchObject({ code: 'link-expired' });
    await expect(trying({ status: 503, body: 'no' })).rejects.toMatchObject({ code: 'unreachable' });
  });
});
