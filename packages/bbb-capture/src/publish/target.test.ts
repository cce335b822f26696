import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { allowTarget, originOf, PublishTarget } from './target.js';

const ALLOWED = ['rtmps://live.example.org:443', 'rtmp://10.0.0.1', 'rtmp://[2001:db8::1]:1936'];
const refused = expect.objectContaining({ code: 'target-not-allowed' });

test.each([
  ['rtmps://live.example.org/app/key', 'rtmps://live.example.org:443/app'],
  ['rtmps://live.example.org:443/app/instance/key?a=b', 'rtmps://live.example.org:443/app/instance'],
  ['rtmps://LIVE.Example.org/app/key', 'rtmps://live.example.org:443/app'],
  ['rtmp://10.0.0.1/live/key', 'rtmp://10.0.0.1:1935/live'],
  ['rtmp://10.0.0.1:1935/live/key', 'rtmp://10.0.0.1:1935/live'],
  ['rtmp://[2001:db8::1]:1936/live/key', 'rtmp://[2001:db8::1]:1936/live'],
  ['rtmp://[2001:DB8:0:0::1]:1936/live/key', 'rtmp://[2001:db8::1]:1936/live'],
])('%s is allowed', (url, shown) => {
  const target = allowTarget(url, ALLOWED);
  expect(target.reveal()).toBe(url);
  expect(target.shown).toBe(shown);
});

test.each([
  ['another scheme', 'rtmp://live.example.org:443/app/key'],
  ['another scheme', 'https://live.example.org/app/key'],
  ['no scheme', 'live.example.org/app/key'],
  ['no slashes', 'rtmps:live.example.org/app/key'],
  ['one slash', 'rtmps:/live.example.org/app/key'],
  ['three slashes', 'rtmps:///live.example.org/app/key'],
  ['another port', 'rtmps://live.example.org:1443/app/key'],
  ['port 0', 'rtmps://live.example.org:0/app/key'],
  ['a port that is none', 'rtmps://live.example.org:44x/app/key'],
  ['a user', 'rtmps://live.example.org@evil.example/app/key'],
  ['a user and a password', 'rtmps://live.example.org:443@evil.example/app/key'],
  ['a user that is empty', 'rtmps://@live.example.org/app/key'],
  ['a user before the right host', 'rtmps://someone@live.example.org/app/key'],
  ['a user behind a fragment', 'rtmps://evil.example#@live.example.org/app/key'],
  ['a user behind a query', 'rtmps://evil.example?@live.example.org/app/key'],
  ['a backslash', 'rtmps://evil.example\\@live.example.org/app/key'],
  ['a backslash for a slash', 'rtmps:\\\\live.example.org/app/key'],
  ['the host as a prefix', 'rtmps://live.example.org.evil.example/app/key'],
  ['the host as a suffix', 'rtmps://evil-live.example.org/app/key'],
  ['a subdomain', 'rtmps://x.live.example.org/app/key'],
  ['a dot at the end', 'rtmps://live.example.org./app/key'],
  ['an escaped dot', 'rtmps://live%2eexample.org/app/key'],
  ['an escaped slash', 'rtmps://live.example.org%2f.evil.example/app/key'],
  ['an escaped zero', 'rtmps://live.example.org%00.evil.example/app/key'],
  ['a wide dot', 'rtmps://live。example.org/app/key'],
  ['a wide letter', 'rtmps://ｌive.example.org/app/key'],
  ['a Cyrillic letter', 'rtmps://livе.example.org/app/key'],
  ['an invisible character', 'rtmps://live.example.org\u200b/app/key'],
  ['a tab', 'rtmps://live.exam\tple.org/app/key'],
  ['a newline', 'rtmps://live.example.org/app/key\r\nx'],
  ['a space before it', ' rtmps://live.example.org/app/key'],
  ['a short address', 'rtmp://10.1/live/key'],
  ['a number for an address', 'rtmp://167772161/live/key'],
  ['an octal address', 'rtmp://012.0.0.1/live/key'],
  ['a hexadecimal address', 'rtmp://0xa.0.0.1/live/key'],
  ['an address in IPv6 form', 'rtmp://[::ffff:10.0.0.1]/live/key'],
  ['an IPv6 zone', 'rtmp://[2001:db8::1%25eth0]:1936/live/key'],
  ['another IPv6 address', 'rtmp://[2001:db8::2]:1936/live/key'],
  ['no host', 'rtmps://:443/app/key'],
  ['no app', 'rtmps://live.example.org/key'],
  ['no stream', 'rtmps://live.example.org/app/'],
  ['too long', `rtmps://live.example.org/app/${'k'.repeat(2000)}`],
  ['nothing', ''],
])('%s is refused: %s', (_, url) => {
  expect(() => allowTarget(url, ALLOWED)).toThrow(refused);
});

test('where nothing is allowed, nothing is', () => {
  expect(() => allowTarget('rtmp://10.0.0.1/live/key', [])).toThrow(refused);
});

test.each(['rtmp://host/path', 'rtmp://host?x', 'rtmp://*.example.org', 'host', 'rtmp://a@host', ''])(
  'an entry %j allows nothing that could be meant otherwise',
  (entry) => {
    if (entry.includes('*')) expect(() => allowTarget('rtmp://live.example.org/a/b', [entry])).toThrow(refused);
    else expect(() => originOf(entry)).toThrow(refused);
  },
);

test('neither a target nor a refusal shows its key', () => {
  const target = allowTarget('rtmp://10.0.0.1/live/Key4Me?token=T0ken', ALLOWED);
  expect(`${target} ${JSON.stringify(target)} ${inspect(target)}`).not.toMatch(/Key4Me|T0ken/);
  expect(target.redact('stream live/Key4Me?token=T0ken is busy, Key4Me')).toBe(
    'stream live/(hidden) is busy, (hidden)',
  );
  expect(() => allowTarget('rtmp://evil.example/live/Key4Me', ALLOWED)).toThrow(/^(?!.*Key4Me)/);
  expect(() => allowTarget('rtmp://10.0.0.1/Key4Me', ALLOWED)).toThrow(/^(?!.*Key4Me)/);
});

test('two are the same where they are one stream, however they are written', () => {
  const same = (one: string, other: string) => allowTarget(one, ALLOWED).isSameAs(allowTarget(other, ALLOWED));
  expect(same('rtmp://10.0.0.1/live/key', 'rtmp://10.0.0.1:1935/live/key?token=other')).toBe(true);
  expect(same('rtmps://LIVE.example.org/app/key', 'rtmps://live.example.org:443/app/key')).toBe(true);
  expect(same('rtmp://10.0.0.1/live/key', 'rtmp://10.0.0.1/live/Key')).toBe(false);
});

test('a credential is made for each connection', () => {
  let count = 0;
  const stream = 'rtmp://127.0.0.1:1935/live/room';
  const target = new PublishTarget(stream, 'live/room', { stream, credential: () => `?sign=${++count}` });
  expect([target.reveal(), target.reveal()]).toEqual([`${stream}?sign=1`, `${stream}?sign=2`]);
  expect(`${target} ${inspect(target)}`).not.toContain('sign');
});
