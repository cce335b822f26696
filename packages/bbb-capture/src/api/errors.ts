import type { CaptureFailure } from '@sluice/core';

/** What became of a call, in the words that a capture ends with. */
export type BbbErrorCode = Extract<
  CaptureFailure,
  | 'wrong-secret'
  | 'wrong-password'
  | 'no-meeting'
  | 'guest-denied'
  | 'meeting-full'
  | 'link-expired'
  | 'meeting-ended-by-force'
  | 'unreachable'
  | 'bad-answer'
  | 'refused'
>;

/** A call that BigBlueButton refused, or that never came to an answer. It repeats neither the URL nor the query. */
export class BbbError extends Error {
  override readonly name = 'BbbError';
  readonly code: BbbErrorCode;
  /** BBB's own word for it; undefined where the fault is not one of its answers. */
  readonly messageKey: string | undefined;

  constructor(code: BbbErrorCode, message: string, messageKey?: string) {
    super(message);
    this.code = code;
    this.messageKey = messageKey;
  }

  /** Whether the same call may be answered otherwise in a while. */
  get isPassing(): boolean {
    return this.code === 'unreachable' || this.code === 'bad-answer';
  }
}

interface Meaning {
  readonly code: BbbErrorCode;
  readonly advice: string;
}

const noMeeting: Meaning = {
  code: 'no-meeting',
  advice: 'there is no such meeting, or it has ended: look at the meeting’s id',
};
const oldLink: Meaning = {
  code: 'link-expired',
  advice: 'the link is of an earlier meeting or has been used up: get a new one',
};

/** What BBB's keys mean, of all generations. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  [
    'checksumError',
    { code: 'wrong-secret', advice: 'bbb.secretFile holds another secret than `bbb-conf --secret` prints there' },
  ],
  ['notFound', noMeeting],
  ['invalidMeetingIdentifier', noMeeting],
  ['invalidPassword', { code: 'wrong-password', advice: 'the meeting has another password for attendees' }],
  ['meetingForciblyEnded', { code: 'meeting-ended-by-force', advice: 'a moderator ended it; it must be created anew' }],
  ['maxParticipantsReached', { code: 'meeting-full', advice: 'somebody must leave, or maxParticipants be raised' }],
  ['mismatchCreateTimeParam', oldLink],
  ['missingSession', oldLink],
  ['guestDeny', { code: 'guest-denied', advice: 'a moderator denied it, or the meeting takes no guests' }],
]);

const MOST_MESSAGE = 300;

/**
 * What BBB refused, as an error.
 *
 * @param call for people: `getMeetingInfo`
 * @param key BBB's messageKey; one that is not known is `refused`
 */
export function refusalOf(call: string, key: string, message: string): BbbError {
  const { code, advice } = MEANINGS.get(key) ?? { code: 'refused', advice: undefined };
  const said = [printable(key), printable(message)].filter((part) => part !== '').join(', ');
  const text = `BigBlueButton refuses ${call}: ${said === '' ? 'it does not say why' : said}`;
  return new BbbError(
    code,
    advice === undefined ? text : `${text} – ${advice}`,
    key === '' ? undefined : printable(key),
  );
}

/** A server's words on one line, not long, and without what lets somebody in: they go into logs and tables. */
export function printable(text: string): string {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\b(checksum|sessionToken|password|\w+PW)=[^&\s]*/gi, '$1=…')
    .replace(/\b[\da-f]{40,128}\b/gi, '…')
    .trim();
  return line.length > MOST_MESSAGE ? `${line.slice(0, MOST_MESSAGE)}…` : line;
}
