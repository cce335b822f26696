import { existsSync, readFileSync } from 'node:fs';
import type { CaptureBrowser, SessionEvent } from '@sluice/bbb-capture';
import { micros } from '@sluice/media';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BbbStub, type MeetingOptions, SKINS } from './bbb-stub/src/index.js';
import {
  type CapturedMeeting,
  captureMeeting,
  launchBrowser,
  listenerLink,
  SMALL_PROFILE,
} from './support/captured-meeting.js';
import { IS_BBB_LONG } from './support/long.js';
import { descendants } from './support/processes.js';
import { until } from './support/until.js';

/** Of several that are much alike, those that are tried each time; all of them where there is time for it. */
function some<T>(all: readonly T[], ...always: readonly number[]): readonly T[] {
  return all.filter((_, index) => IS_BBB_LONG || always.includes(index));
}

let browser: CaptureBrowser;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  browser = await launchBrowser(SMALL_PROFILE);
});
afterAll(() => browser.close());
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openStub(options: Partial<MeetingOptions> = {}, skin?: (typeof SKINS)[number]): Promise<BbbStub> {
  const stub = await BbbStub.start(skin === undefined ? {} : { skin });
  closing.push(() => stub.stop());
  stub.meetings.create({ meetingID: 'room', ...options });
  return stub;
}

async function capture(
  stub: BbbStub,
  { more = {}, ...options }: { more?: Record<string, string>; joinMs?: number; lobbyMs?: number } = {},
): Promise<CapturedMeeting> {
  const meeting = await captureMeeting({ browser, link: listenerLink(stub, 'room', more), ...options });
  closing.push(() => meeting.close());
  return meeting;
}

const isGiving = (meeting: CapturedMeeting) => () => meeting.types().includes('sample');
const attendee = (stub: BbbStub) => stub.meetings.get('room')?.attendees.at(-1);
const stepsOf = (meeting: CapturedMeeting) =>
  meeting.events.flatMap((event) => (event.type === 'step' ? [event.step] : []));
const troubles = (events: readonly SessionEvent[], type: 'trouble' | 'recovered') =>
  events.flatMap((event) => (event.type === type ? [event.trouble] : []));

test.each(some(SKINS, 0))('a client of %s is joined without a click and heard', async (skin) => {
  const stub = await openStub({}, skin);
  const meeting = await capture(stub);
  await until('samples come', isGiving(meeting), 30_000);
  const generations = { '2.2': '2.x', '2.4': '2.x', '2.7': '2.x', '3.0': '3.0', livekit: 'livekit' };
  expect(meeting.events).toContainEqual({ type: 'in-meeting', generation: generations[skin] });
  expect(attendee(stub)?.audio).toBe('listen-only');
  expect(meeting.events.some((event) => event.type === 'step' && event.selector !== undefined)).toBe(false);
  const first = meeting.events.find((event) => event.type === 'sample');
  expect(first).toMatchObject({ sample: { kind: 'video', keyframe: true } });
});

test.each(some(SKINS, 3))('a client of %s that asks is answered, through what lies above it', async (skin) => {
  const stub = await openStub({ audioDialog: 'asks', overlayMs: 60_000, mountDelayMs: 700 }, skin);
  const meeting = await capture(stub);
  await until('samples come', isGiving(meeting), 30_000);
  expect(stepsOf(meeting)).toContain('listen only');
  expect(attendee(stub)?.audio).toBe('listen-only');
});

test.runIf(IS_BBB_LONG)('a client that has a way to listen only after a microphone was refused', async () => {
  const stub = await openStub({ audioDialog: 'denied' }, '2.7');
  const meeting = await capture(stub, { more: { 'userdata-bbb_force_listen_only': 'false' } });
  await until('samples come', isGiving(meeting), 30_000);
  expect(stepsOf(meeting)).toEqual(expect.arrayContaining(['be refused a microphone', 'listen only']));
});

test('a client in German whose link says nothing', async () => {
  const stub = await openStub({ audioDialog: 'asks', locale: 'de' }, '2.4');
  const plain = Object.fromEntries(
    ['bbb_override_default_locale', 'bbb_force_listen_only'].map((name) => [`userdata-${name}`, '']),
  );
  const meeting = await capture(stub, { more: { ...plain, 'userdata-bbb_override_default_locale': 'de' } });
  await until('samples come', isGiving(meeting), 30_000);
});

test.runIf(IS_BBB_LONG)('a client that cannot be heard is given up in time', async () => {
  const stub = await openStub({}, '3.0');
  const meeting = await capture(stub, {
    joinMs: 4000,
    more: {
      'userdata-bbb_auto_join_audio': 'false',
      'userdata-bbb_listen_only_mode': 'false',
      'userdata-bbb_force_listen_only': 'false',
    },
  });
  await until('it is given up', () => meeting.ended() !== undefined, 20_000);
  expect(meeting.ended()).toMatchObject({ reason: 'not-heard' });
  expect(meeting.types()).not.toContain('sample');
});

test.each(some(['2.4', '3.0'] as const))('the lobby of %s: admitted, and denied', async (skin) => {
  const stub = await openStub({ guestPolicy: 'ASK_MODERATOR' }, skin);
  const meeting = await capture(stub);
  await until('it is in the lobby', () => stepsOf(meeting).includes('wait in the lobby'), 20_000);
  stub.meetings.get('room')?.act({ do: 'admit' });
  await until('samples come', isGiving(meeting), 30_000);
  const denied = await capture(stub);
  await until('it is in the lobby', () => stepsOf(denied).includes('wait in the lobby'), 20_000);
  stub.meetings.get('room')?.act({ do: 'deny' });
  await until('it ends', () => denied.ended() !== undefined);
  expect(denied.ended()).toMatchObject({ reason: 'guest-denied' });
});

const ENDS = [
  ['2.2', 'end', 'meeting-ended'],
  ['2.7', 'end', 'meeting-ended'],
  ['3.0', 'end', 'meeting-ended'],
  ['3.0', 'kick', 'removed'],
  ['livekit', 'time-out', 'removed'],
  ['3.0', 'error', 'bad-answer'],
] as const;
test.each(some(ENDS, 0, 3))('in %s, %s is told as %s', async (skin, act, reason) => {
  const stub = await openStub({}, skin);
  const meeting = await capture(stub);
  await until('samples come', isGiving(meeting), 30_000);
  stub.meetings.get('room')?.act({ do: act });
  await until('it ends', () => meeting.ended() !== undefined, 10_000);
  expect(meeting.ended()).toMatchObject({ reason });
});

test.each([
  [{ password: 'wrong' }, 'wrong-password'],
  [{ meetingID: 'elsewhere' }, 'no-meeting'],
  [{ createTime: '1' }, 'link-expired'],
])('a link that is refused: %o', async (more, reason) => {
  const stub = await openStub();
  const meeting = await capture(stub, { more: { role: '', ...more } });
  await until('it ends', () => meeting.ended() !== undefined, 20_000);
  expect(meeting.ended()).toMatchObject({ reason });
  expect(meeting.ended()?.detail).not.toMatch(/checksum=|sessionToken/);
});

test('a server that is not there is told without the link', async () => {
  const stub = await openStub();
  const link = listenerLink(stub, 'room');
  await stub.stop();
  closing.length = 0;
  const meeting = await captureMeeting({ browser, link });
  closing.push(() => meeting.close());
  await until('it ends', () => meeting.ended() !== undefined, 20_000);
  expect(meeting.ended()).toMatchObject({ reason: 'unreachable' });
  expect(meeting.ended()?.detail).not.toMatch(/checksum|fullName/);
});

const TROUBLES = [
  ['black', { do: 'picture', mode: 'black' }, { do: 'picture', mode: 'moving' }],
  ['frozen', { do: 'picture', mode: 'frozen' }, { do: 'picture', mode: 'moving' }],
  ['silent', { do: 'sound', mode: 'silent' }, { do: 'sound', mode: 'tone' }],
  ['reconnecting', { do: 'disconnect', ms: 4000 }, undefined],
] as const;
test.each(some(TROUBLES, 0))('%s is noticed within 10 s, and when it is over', async (trouble, begin, end) => {
  const stub = await openStub({}, '3.0');
  const meeting = await capture(stub);
  await until('samples come', isGiving(meeting), 30_000);
  stub.meetings.get('room')?.act(begin);
  await until('it is noticed', () => troubles(meeting.events, 'trouble').includes(trouble), 10_000);
  if (end !== undefined) stub.meetings.get('room')?.act(end);
  await until('it is over', () => troubles(meeting.events, 'recovered').includes(trouble), 10_000);
  expect(meeting.ended()).toBeUndefined();
});

test('audio that is lost is noticed within 10 s, where the client has no way back to it', async () => {
  const stub = await openStub({}, '3.0');
  const meeting = await capture(stub);
  await until('samples come', isGiving(meeting), 30_000);
  stub.meetings.get('room')?.act({ do: 'sound', mode: 'lost' });
  await until('it is noticed', () => troubles(meeting.events, 'trouble').includes('audio-lost'), 10_000);
});

test.runIf(IS_BBB_LONG)('audio that is lost is joined again by the session itself', async () => {
  const stub = await openStub({}, '2.7');
  const meeting = await capture(stub, { more: { 'userdata-bbb_hide_actions_bar': 'false' } });
  await until('samples come', isGiving(meeting), 30_000);
  stub.meetings.get('room')?.act({ do: 'sound', mode: 'lost' });
  await until('it is out of the audio', () => attendee(stub)?.audio === 'none');
  await until('it is in the audio again', () => attendee(stub)?.audio === 'listen-only', 20_000);
});

test.runIf(IS_BBB_LONG)('a tab that hangs is noticed within 10 s', async () => {
  const stub = await openStub({}, '3.0');
  const meeting = await capture(stub);
  await until('samples come', isGiving(meeting), 30_000);
  stub.meetings.get('room')?.act({ do: 'hang', ms: 14_000 });
  await until('it is noticed', () => troubles(meeting.events, 'trouble').length > 0, 10_000);
});

test.each(some(['tab', 'display'] as const))(
  'an ffmpeg of a %s that is killed is begun anew, and the next session too',
  async (method) => {
    const profile = { ...SMALL_PROFILE, method };
    const own = await launchBrowser(profile);
    closing.push(() => own.close());
    const stub = await openStub({}, '3.0');
    const epoch = micros(Number(process.hrtime.bigint() / 1000n));
    const sounds = (meeting: CapturedMeeting) =>
      meeting.events.flatMap((event) =>
        event.type === 'sample' && event.sample.kind === 'audio' ? [event.sample.dts] : [],
      );
    const meeting = await captureMeeting({ browser: own, link: listenerLink(stub, 'room'), profile, epoch });
    await until('sound comes', () => sounds(meeting).length > 20, 30_000);
    const pid = meeting.session.encoderPid ?? 0;
    process.kill(pid, 'SIGKILL');
    await until('another one encodes', () => ![undefined, pid].includes(meeting.session.encoderPid), 10_000);
    const before = sounds(meeting).length;
    await until('sound comes again', () => sounds(meeting).length > before + 20, 15_000);
    await meeting.close();
    expect(meeting.ended()).toBeUndefined();
    const next = await captureMeeting({ browser: own, link: listenerLink(stub, 'room'), profile, epoch });
    closing.push(() => next.close());
    await until('the next gives', () => sounds(next).length > 20, 30_000);
    const times = [...sounds(meeting), ...sounds(next)];
    expect(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0))).toBe(true);
  },
);

test.runIf(IS_BBB_LONG)('a tab that crashes ends the session', async () => {
  const stub = await openStub({}, '3.0');
  const meeting = await capture(stub);
  await until('samples come', isGiving(meeting), 30_000);
  for (const { pid, command } of descendants()) if (command.includes('--type=renderer')) process.kill(pid, 'SIGKILL');
  await until('it ends', () => meeting.ended() !== undefined, 10_000);
  expect(meeting.ended()).toMatchObject({ reason: 'browser-failed' });
});

test('a browser that is killed ends the session, and leaves no process and no profile', async () => {
  const own = await launchBrowser(SMALL_PROFILE);
  const stub = await openStub({}, '3.0');
  const meeting = await captureMeeting({ browser: own, link: listenerLink(stub, 'room') });
  await until('samples come', isGiving(meeting), 30_000);
  const mine = descendants().filter(({ command }) => command.includes(own.tabTitle));
  const environment = readFileSync(`/proc/${mine[0]?.pid}/environ`, 'latin1');
  const [, profile = ''] = /HOME=([^\0]+)/.exec(environment) ?? [];
  expect(existsSync(profile)).toBe(true);
  for (const { pid } of mine) process.kill(pid, 'SIGKILL');
  await until('it ends', () => meeting.ended() !== undefined, 10_000);
  expect(meeting.ended()).toMatchObject({ reason: 'browser-failed' });
  await meeting.close();
  await own.close();
  expect(existsSync(profile)).toBe(false);
  await until('nothing is left', () => descendants().every(({ command }) => !command.includes(own.tabTitle)));
});

test('no process of a capture has the link, or what this one keeps in its environment', async () => {
  process.env.SLUICE_TEST_SECRET = 'Not4Children';
  closing.push(async () => {
    delete process.env.SLUICE_TEST_SECRET;
  });
  const own = await launchBrowser(SMALL_PROFILE);
  closing.push(() => own.close());
  const stub = await openStub({}, '3.0');
  const link = listenerLink(stub, 'room');
  const meeting = await captureMeeting({ browser: own, link });
  closing.push(() => meeting.close());
  await until('samples come', isGiving(meeting), 30_000);
  const started = descendants();
  expect(started.some(({ command }) => command.includes('ffmpeg'))).toBe(true);
  expect(started.length).toBeGreaterThan(4);
  for (const { pid, command } of started) {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    expect(command + environment).not.toMatch(/checksum=|sessionToken=|fullName=|Not4Children/);
  }
});

test.runIf(IS_BBB_LONG)(
  'a notice is written into the chat, whether it is open or not',
  async () => {
    for (const skin of some(SKINS, 1, 3)) {
      const stub = await openStub({}, skin);
      const meeting = await capture(stub, { more: { 'userdata-bbb_hide_nav_bar': 'false' } });
      await until('samples come', isGiving(meeting), 30_000);
      const isSaid = await meeting.session.say('This is streamed.');
      expect({ skin, isSaid }).toEqual({ skin, isSaid: true });
      await until('it is said', () => stub.meetings.get('room')?.chat.at(-1)?.text === 'This is streamed.');
      await meeting.close();
    }
  },
  120_000,
);
