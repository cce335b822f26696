import {
  BbbClient,
  BbbError,
  listenerUserdata,
  type MeetingEvent,
  tryJoinLink,
  watchMeeting,
} from '@sluice/bbb-capture';
import { afterEach, describe, expect, it } from 'vitest';
import { BbbStub, SKINS, type StubOptions } from './bbb-stub/src/index.js';
import { until } from './support/until.js';

let stub: BbbStub;
afterEach(() => stub.stop());

const start = async (options: StubOptions = {}): Promise<BbbClient> => {
  stub = await BbbStub.start(options);
  return new BbbClient({ url: stub.url, secret: async () => stub.secret, checksum: 'auto' });
};
const joining = { meetingId: 'room', name: 'Sluice', userId: 'sluice-1', role: 'VIEWER' } as const;

describe.each(SKINS)('BbbClient and BigBlueButton %s', (skin) => {
  it('creates, finds, joins and ends a meeting', async () => {
    const client = await start({ skin, endDelayMs: 0 });
    expect((await client.version()).api).toBe('2.0');
    expect(await client.getMeetings()).toEqual([]);
    const { createTime } = await client.create({
      meetingId: 'room',
      name: 'Größe & <Maß>',
      attendeePassword: 'ä p',
      moderatorPassword: 'mp',
    });
    const info = await client.getMeetingInfo('room');
    expect(info).toMatchObject({ name: 'Größe & <Maß>', createTime, isRunning: false, attendeePassword: 'ä p' });
    const password = info.attendeePassword;
    const userdata = listenerUserdata({ locale: 'en', hides: true });
    await tryJoinLink(await client.joinLink({ ...joining, password, createTime, userdata }));
    for (const [change, code] of [
      [{ createTime: createTime - 1 }, 'link-expired'],
      [{ meetingId: 'none' }, 'no-meeting'],
      [{ password: 'wrong' }, 'wrong-password'],
    ] as const) {
      const link = await client.joinLink({ ...joining, password, ...change });
      await expect(tryJoinLink(link)).rejects.toMatchObject({ code });
    }
    await client.end('room', 'mp');
    await until('it has ended', () =>
      client.getMeetingInfo('room').then(
        () => false,
        (error: unknown) => error instanceof BbbError && error.code === 'no-meeting',
      ),
    );
  });
});

describe('BbbClient', () => {
  it('is refused in words where nobody may come in', async () => {
    const client = await start();
    stub.meetings.create({ meetingID: 'full', maxParticipants: 1 });
    stub.meetings.create({ meetingID: 'closed', guestPolicy: 'ALWAYS_DENY' });
    for (const [meetingId, code] of [
      ['full', 'meeting-full'],
      ['closed', 'guest-denied'],
    ] as const) {
      const link = await client.joinLink({ ...joining, meetingId, password: 'ap' });
      await expect(tryJoinLink(link)).rejects.toMatchObject({ code });
    }
    const stranger = new BbbClient({ url: stub.url, secret: async () => 'not this', checksum: 'auto' });
    const link = await stranger.joinLink({ ...joining, meetingId: 'full' }).catch((error: unknown) => error);
    expect(link).toMatchObject({ code: 'wrong-secret', messageKey: 'checksumError' });
  });

  it('writes into the chat where the server can', async () => {
    const client = await start();
    const said = { message: 'This meeting is streamed.', userName: 'Sluice' };
    await expect(client.sendChatMessage('room', said)).rejects.toMatchObject({ code: 'no-meeting' });
    stub.meetings.create({ meetingID: 'room' });
    await client.sendChatMessage('room', said);
    await stub.stop();
    const older = await start({ skin: '2.7' });
    await expect(older.sendChatMessage('room', said)).rejects.toMatchObject({ code: 'refused' });
  });

  it.each(['error', 'malformed', 'page', 'hang', 'reset'] as const)(
    'survives an answer of the kind %s',
    async (kind) => {
      await start();
      const client = new BbbClient({
        url: stub.url,
        secret: async () => stub.secret,
        checksum: 'auto',
        timeoutMs: 500,
      });
      stub.faults.add({ kind });
      const error: unknown = await client.getMeetings().catch((fault: unknown) => fault);
      expect(error).toBeInstanceOf(BbbError);
      expect(error).toMatchObject({ isPassing: true });
      expect(await client.getMeetings()).toEqual([]);
    },
  );
});

describe('watchMeeting', () => {
  it('tells when a meeting begins, is another one, and ends, though the server fails in between', async () => {
    const client = await start();
    const kinds: MeetingEvent['kind'][] = [];
    const controller = new AbortController();
    const watching = watchMeeting({
      poll: (signal) => client.getMeetingInfo('room', undefined, signal),
      onEvent: ({ kind }) => void (kinds.at(-1) === kind || kinds.push(kind)),
      signal: controller.signal,
      wait: () => new Promise((done) => setTimeout(done, 5)),
      random: Math.random,
    });
    const comes = (kind: MeetingEvent['kind']) => until(`it is ${kind}`, () => kinds.includes(kind));
    const meeting = stub.meetings.create({ meetingID: 'room' });
    await comes('seen');
    stub.faults.add({ kind: 'error' });
    await comes('unknown');
    await until('it is seen again', () => kinds.at(-1) === 'seen');
    meeting.act({ do: 'restart' });
    await until('the other one is seen', () => kinds.lastIndexOf('seen') > kinds.indexOf('unknown') + 1);
    stub.meetings.get('room')?.act({ do: 'end' });
    await until('it is over', () => kinds.at(-1) === 'ended');
    controller.abort();
    await watching;
    expect(kinds.slice(0, 4)).toEqual(['began', 'seen', 'unknown', 'seen']);
    // Whether the time between the two is noticed or not.
    expect(kinds.slice(4).join(' ')).toMatch(/^(restarted|ended began) seen ended$/);
  });
});
