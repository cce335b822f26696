import { inspect } from 'node:util';
import { type CaptureRequest, type Config, configSchema, silentLogger, systemClock } from '@sluice/core';
import { afterEach, expect, test, vi } from 'vitest';
import { PublishTarget } from '../publish/target.js';
import { CaptureSupervisor } from './supervisor.js';

/** Nobody answers there, so that captures wait. */
const NOWHERE = 'http://127.0.0.1:9/bigbluebutton/api';
const KEY = 'k3y4Me';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
}, 30_000);

function startSupervisor(bbb: Record<string, unknown> = {}, more: { takesAnyLink?: boolean } = {}): CaptureSupervisor {
  const settings: Config['bbb'] = configSchema.parse({ bbb: { browser: '/bin/false', maxCaptures: 3, ...bbb } }).bbb;
  const supervisor = new CaptureSupervisor({
    settings: () => settings,
    targetOf: (text) => new PublishTarget(`rtmp://127.0.0.1:9/${text}`, 'rtmp://127.0.0.1:9/live', { stream: text }),
    environment: process.env,
    ffmpeg: '/bin/false',
    clock: systemClock,
    log: silentLogger,
    ...more,
  });
  closing.push(() => supervisor.close());
  return supervisor;
}

const request = (change: Partial<CaptureRequest> = {}): CaptureRequest => ({
  meetingId: 'room',
  target: `live/${KEY}`,
  ...change,
});
const joining = (joinUrl: string) => request({ joinUrl });
const refusedAs = (code: string, field?: string) => expect.objectContaining({ name: 'CaptureRefusal', code, field });

test('links lead to the configured server and to the origins that are named, exactly', () => {
  const supervisor = startSupervisor({
    url: 'https://127.0.0.2:9/bigbluebutton/api',
    joinOrigins: ['https://127.0.0.3:9'],
  });
  for (const link of [
    'https://evil.example/join',
    'https://127.0.0.2:8443/join',
    'https://127.0.0.2.evil.example:9/join',
    'https://127.0.0.3:9@evil.example/join',
    'https://10.0.0.1/join',
    'http://127.0.0.1:1985/metrics',
    'http://127.0.0.3:9/join',
    'file:///etc/passwd',
  ]) {
    expect(() => supervisor.start(joining(link), 'test'), link).toThrow(refusedAs('bad-request', 'joinUrl'));
  }
  expect(supervisor.captures).toEqual([]);
  supervisor.start(joining('HTTPS://127.0.0.2:9/bigbluebutton/api/join?checksum=1'), 'test');
  supervisor.start({ ...joining('https://127.0.0.3:9/b/abc'), target: 'live/other' }, 'test');
  expect(supervisor.captures).toHaveLength(2);
});

test('where no server is configured no link is taken, but of who could open it anyway', () => {
  const link = joining('https://127.0.0.2:9/join');
  expect(() => startSupervisor().start(link, 'test')).toThrow(refusedAs('bad-request', 'joinUrl'));
  const own = startSupervisor({}, { takesAnyLink: true });
  expect(own.start(link, 'test')).toMatchObject({ meetingId: 'room' });
});

test('one stream has one publisher, whichever meeting it shows, and an application may have several streams', () => {
  const supervisor = startSupervisor({ url: NOWHERE });
  const signed = { password: 'ap' };
  supervisor.start(request(signed), 'test');
  expect(() => supervisor.start(request(signed), 'test')).toThrow(refusedAs('already-captured', 'target'));
  const other = request({ ...signed, meetingId: 'other' });
  expect(() => supervisor.start(other, 'test')).toThrow(refusedAs('already-captured', 'target'));
  supervisor.start({ ...other, target: 'live/another' }, 'test');
  supervisor.start(request({ ...signed, target: 'live/third' }), 'test');
  const fourth = request({ ...signed, target: 'live/fourth' });
  expect(() => supervisor.start(fourth, 'test')).toThrow(refusedAs('over-limit'));
});

test('what is over is told of for a while, without link, password and key', async () => {
  const supervisor = startSupervisor({ url: 'https://127.0.0.2:9/api' });
  const { id } = supervisor.start(joining('https://127.0.0.2:9/join?checksum=5ecret'), 'test');
  await vi.waitFor(() => expect(supervisor.captures[0]?.state.kind).toBe('failed'), 10_000);
  expect(supervisor.captures).toMatchObject([{ id, state: { failure: 'no-browser' }, startedBy: 'test' }]);
  expect(supervisor.totals).toEqual({ started: 1, errors: new Map([['no-browser', 1]]) });
  await vi.waitFor(() => {
    expect(inspect(supervisor, { depth: 20, showHidden: true })).not.toMatch(new RegExp(`5ecret|${KEY}`));
  });
  expect(supervisor.stop(id, 'test')).toBe(false);
  supervisor.start(request({ password: 'ap' }), 'test');
});

test('closing ends all, and lets none begin', async () => {
  const supervisor = startSupervisor({ url: NOWHERE });
  supervisor.start(request({ password: 'ap' }), 'test');
  await supervisor.close();
  expect(supervisor.captures).toMatchObject([{ state: { kind: 'ended', reason: 'stopped' } }]);
  expect(() => supervisor.start(request({ password: 'ap' }), 'test')).toThrow(refusedAs('over-limit'));
});
