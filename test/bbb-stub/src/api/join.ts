import type { Attendee, Joiner, Role } from '../meeting/attendee.js';
import type { Meeting } from '../meeting/meeting.js';
import type { Meetings } from '../meeting/meetings.js';
import { isSince, type Skin } from '../skin.js';
import { type Failure, failure } from './answer.js';

const USERDATA = 'userdata-';
const GUEST_WAIT = '/html5client/guestWait';

export type JoinOutcome =
  | { readonly meeting: Meeting; readonly attendee: Attendee; readonly path: string }
  | { readonly failure: Failure };

/**
 * The `join` call, its checksum apart.
 *
 * @param cookie of the browser's session
 * @param skin of the server
 */
export function join(parameters: URLSearchParams, meetings: Meetings, cookie: string, skin: Skin): JoinOutcome {
  const refused = (...said: Parameters<typeof failure>): JoinOutcome => ({ failure: failure(...said) });
  const fullName = parameters.get('fullName') ?? '';
  if (fullName.trim() === '') return refused('missingParamFullName');
  const meetingID = parameters.get('meetingID') ?? '';
  if (meetingID === '') return refused('missingParamMeetingID');
  const meeting = meetings.get(meetingID);
  if (meeting === undefined) return refused('invalidMeetingIdentifier');
  const createTime = parameters.get('createTime');
  if (createTime !== null && createTime !== '' && Number(createTime) !== meeting.createTime) {
    return refused('mismatchCreateTimeParam');
  }
  if (meeting.state !== 'open') return refused('meetingForciblyEnded');
  const role = roleOf(parameters, meeting, skin);
  if (role === undefined) return refused('invalidPassword');
  const { guestPolicy, maxParticipants } = meeting.settings;
  const isGuest = role !== 'MODERATOR';
  if (isGuest && guestPolicy === 'ALWAYS_DENY') return refused('guestDeny');
  const userID = parameters.get('userID') ?? '';
  const others = meeting.present.filter(({ joiner }) => userID === '' || joiner.userID !== userID);
  const inIt = others.length + (meeting.settings.hasTeacher ? 1 : 0);
  if (maxParticipants > 0 && inIt >= maxParticipants) return refused('maxParticipantsReached');
  const joiner: Omit<Joiner, 'userID'> = {
    fullName,
    role,
    guestStatus: isGuest && guestPolicy === 'ASK_MODERATOR' ? 'WAIT' : 'ALLOW',
    isBot: parameters.get('bot') === 'true',
    userdata: userdataOf(parameters),
  };
  const id = userID || `guest-${meeting.attendees.length + 1}`;
  const attendee = meeting.join({ ...joiner, userID: id }, cookie);
  return { meeting, attendee, path: clientPath(meeting, attendee) };
}

/** Where a session's client is. */
export function clientPath(meeting: Meeting, attendee: Attendee): string {
  const query = `?sessionToken=${attendee.sessionToken}`;
  // From 3.0 on the lobby is in the client.
  if (attendee.guestStatus === 'WAIT' && !isSince(meeting.skin, '3.0')) return `${GUEST_WAIT}${query}`;
  return `/html5client/${isSince(meeting.skin, '3.0') ? '' : 'join'}${query}`;
}

function roleOf(parameters: URLSearchParams, meeting: Meeting, skin: Skin): Role | undefined {
  const password = parameters.get('password');
  const { attendeePW, moderatorPW } = meeting.settings;
  const asked = parameters.get('role')?.toUpperCase();
  if (isSince(skin, '2.4') && (asked === 'MODERATOR' || asked === 'VIEWER')) {
    // A role stands above a password, which is yet looked at where it is given.
    const isKnown = password === null || password === attendeePW || password === moderatorPW;
    return isKnown ? asked : undefined;
  }
  if (password === moderatorPW) return 'MODERATOR';
  return password === attendeePW ? 'VIEWER' : undefined;
}

function userdataOf(parameters: URLSearchParams): Record<string, string> {
  const named = [...parameters].filter(([name]) => name.startsWith(USERDATA));
  return Object.fromEntries(named.map(([name, value]) => [name.slice(USERDATA.length), value]));
}
