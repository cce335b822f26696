import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MeetingInfo } from './answers.js';
import { BbbError } from './errors.js';
import { type MeetingEvent, MeetingWatch, type PollOutcome, watchMeeting } from './meeting-watch.js';

const meeting = (createTime: number, more: Partial<MeetingInfo> = {}): MeetingInfo => ({
  meetingId: 'm',
  name: 'M',
  createTime,
  isRunning: true,
  wasEndedByForce: false,
  participantCount: 1,
  listenerCount: 0,
  voiceCount: 0,
  attendeePassword: undefined,
  attendees: [],
  ...more,
});
const none = new BbbError('no-meeting', 'x');
const gone = new BbbError('unreachable', 'x');

/** The kinds of all events that come of some outcomes. */
const kindsOf = (outcomes: readonly PollOutcome[]): string[] => {
  const watch = new MeetingWatch();
  return outcomes.flatMap((outcome) => watch.receive(outcome)).map(({ kind }) => kind);
};

describe('MeetingWatch', () => {
  it('tells when a meeting begins, ends and begins again', () => {
    const idle = meeting(1, { isRunning: false });
    expect(kindsOf([none, idle, meeting(1), meeting(1), none, none, meeting(2)])).toEqual([
      'began',
      'seen',
      'ended',
      'began',
    ]);
    expect(kindsOf([meeting(1), idle])).toEqual(['began', 'ended']);
    expect(kindsOf([meeting(1), meeting(2), meeting(2)])).toEqual(['began', 'restarted', 'seen']);
  });

  it('tells an end by force from another', () => {
    const ends = [meeting(1, { wasEndedByForce: true }), new BbbError('meeting-ended-by-force', 'x')];
    for (const end of ends) {
      const watch = new MeetingWatch();
      watch.receive(meeting(1));
      expect(watch.receive(end)).toEqual([{ kind: 'ended', byForce: true }]);
    }
  });

  it('takes a server that is away for no end, and a refusal for one of the watch', () => {
    expect(kindsOf([meeting(1), gone, gone, meeting(1)])).toEqual(['began', 'unknown', 'unknown', 'seen']);
    expect(kindsOf([new BbbError('wrong-secret', 'x')])).toEqual(['failed']);
  });

  it('outlives a secret that is changed while the meeting runs', () => {
    const wrong = new BbbError('wrong-secret', 'x');
    expect(kindsOf([meeting(1), wrong, wrong, meeting(1), none])).toEqual([
      'began',
      'unknown',
      'unknown',
      'seen',
      'ended',
    ]);
    expect(kindsOf([meeting(1), none, wrong])).toEqual(['began', 'ended', 'failed']);
  });

  it('asks less often while the server is away, up to a bound, and never at once', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (failures, random, runs) => {
        const watch = new MeetingWatch();
        if (runs) watch.receive(meeting(1));
        for (let count = 0; count < failures; count++) watch.receive(gone);
        const delay = watch.delay(random);
        expect(delay).toBeGreaterThanOrEqual(3000);
        expect(delay).toBeLessThanOrEqual(runs ? 8750 : 75_000);
      }),
    );
  });
});

describe('watchMeeting', () => {
  const watching = async (outcomes: (PollOutcome | Error)[], signal = new AbortController()) => {
    const events: MeetingEvent[] = [];
    await watchMeeting({
      poll: async () => {
        const outcome = outcomes.shift();
        if (outcome === undefined) signal.abort();
        if (outcome === undefined || outcome instanceof Error) throw outcome ?? signal.signal.reason;
        return outcome;
      },
      onEvent: (event) => events.push(event),
      signal: signal.signal,
      wait: async () => undefined,
      random: () => 0.5,
    });
    return events.map(({ kind }) => kind);
  };

  it('goes on after an end, until it is told to stop, or has failed', async () => {
    expect(await watching([meeting(1), none, meeting(2)])).toEqual(['began', 'ended', 'began']);
    expect(await watching([gone, new BbbError('wrong-password', 'x'), meeting(1)])).toEqual(['unknown', 'failed']);
  });

  it('hides no fault', async () => {
    await expect(watching([new TypeError('a fault')])).rejects.toThrow('a fault');
  });
});
