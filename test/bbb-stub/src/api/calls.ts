import type { Meetings } from '../meeting/meetings.js';
import { isSince, type Skin } from '../skin.js';
import { type Failure, failure } from './answer.js';
import { describeMeeting } from './describe.js';

/** A call's answer: what stands in `response`, or why not. */
export type Outcome = { readonly content: Readonly<Record<string, unknown>> } | { readonly failure: Failure };
type Call = (parameters: URLSearchParams, meetings: Meetings, options: CallOptions) => Outcome;

export interface CallOptions {
  readonly skin: Skin;
  /** How long a meeting's end takes after it was asked for. */
  readonly endDelayMs: number;
}

const MAX_CHAT = 500;
const MAX_ID = 256;

const refused = (...said: Parameters<typeof failure>): Outcome => ({ failure: failure(...said) });

/** Calls that answer in XML; `join` is apart. */
export const CALLS: Readonly<Record<string, Call>> = {
  create,
  isMeetingRunning: (parameters, meetings) => {
    const id = parameters.get('meetingID') ?? '';
    if (id === '') return refused('missingParamMeetingID');
    return { content: { running: meetings.get(id)?.isRunning ?? false } };
  },
  getMeetingInfo: (parameters, meetings) => {
    const id = parameters.get('meetingID') ?? '';
    if (id === '') return refused('missingParamMeetingID');
    const meeting = meetings.open(id);
    return meeting === undefined ? refused('notFound') : { content: describeMeeting(meeting) };
  },
  getMeetings: (_, meetings) => {
    const all = [...meetings].filter(({ state }) => state !== 'ended').map(describeMeeting);
    if (all.length > 0) return { content: { meetings: { meeting: all } } };
    return {
      content: { meetings: '', messageKey: 'noMeetings', message: 'no meetings were found on this server' },
    };
  },
  end: (parameters, meetings, { endDelayMs, skin }) => {
    const id = parameters.get('meetingID') ?? '';
    if (id === '') return refused('missingParamMeetingID');
    const meeting = meetings.open(id);
    if (meeting === undefined) return refused('notFound');
    const password = parameters.get('password');
    const isNeeded = !isSince(skin, '2.7');
    if ((isNeeded || password !== null) && password !== meeting.settings.moderatorPW) return refused('invalidPassword');
    meeting.act({ do: 'end', delayMs: endDelayMs });
    const message =
      'A request to end the meeting was sent. Please wait a few seconds, and then use the getMeetingInfo or isMeetingRunning API calls to verify that it was ended.';
    return { content: { messageKey: 'sentEndMeetingRequest', message } };
  },
  sendChatMessage: (parameters, meetings, { skin }) => {
    if (!isSince(skin, '3.0')) return refused('unsupportedRequest');
    const id = parameters.get('meetingID') ?? '';
    if (id === '') return refused('missingParamMeetingID');
    const meeting = meetings.open(id);
    if (meeting === undefined) return refused('notFound');
    const text = parameters.get('message') ?? '';
    if (text === '') return refused('validationError', 'You must provide a message');
    if (text.length > MAX_CHAT) return refused('validationError', 'The message must have at most 500 characters');
    meeting.say({ from: parameters.get('userName') ?? 'System', text });
    return { content: {} };
  },
};

function create(parameters: URLSearchParams, meetings: Meetings): Outcome {
  const id = parameters.get('meetingID') ?? '';
  const name = parameters.get('name') ?? '';
  if (id === '') return refused('missingParamMeetingID');
  if (name === '') return refused('missingParamName');
  if (id.length > MAX_ID) return refused('sizeError');
  if (id.length < 2 || id.includes(',')) return refused('validationError', 'The meeting ID is not valid');
  const attendeePW = parameters.get('attendeePW');
  const moderatorPW = parameters.get('moderatorPW');
  let meeting = meetings.open(id);
  const isDuplicate = meeting !== undefined;
  if (meeting !== undefined) {
    const isOther =
      (attendeePW !== null && attendeePW !== meeting.settings.attendeePW) ||
      (moderatorPW !== null && moderatorPW !== meeting.settings.moderatorPW);
    if (isOther) return refused('idNotUnique');
  } else {
    meeting = meetings.create({
      meetingID: id,
      name,
      ...(attendeePW === null ? {} : { attendeePW }),
      ...(moderatorPW === null ? {} : { moderatorPW }),
      ...(Number(parameters.get('maxParticipants')) > 0
        ? { maxParticipants: Number(parameters.get('maxParticipants')) }
        : {}),
      record: parameters.get('record') === 'true',
      guestPolicy: guestPolicyOf(parameters.get('guestPolicy')),
      logoutURL: parameters.get('logoutURL') ?? '/',
      // Nobody has joined what was just created.
      hasTeacher: false,
      meta: metaOf(parameters),
    });
  }
  return {
    content: {
      meetingID: id,
      internalMeetingID: meeting.internalId,
      parentMeetingID: 'bbb-none',
      attendeePW: meeting.settings.attendeePW,
      moderatorPW: meeting.settings.moderatorPW,
      createTime: meeting.createTime,
      createDate: new Date(meeting.createTime).toUTCString(),
      hasUserJoined: meeting.present.length > 0,
      duration: 0,
      hasBeenForciblyEnded: false,
      messageKey: isDuplicate ? 'duplicateWarning' : '',
      message: isDuplicate ? 'This conference was already in existence and may currently be in progress.' : '',
    },
  };
}

function guestPolicyOf(given: string | null): 'ALWAYS_ACCEPT' | 'ASK_MODERATOR' | 'ALWAYS_DENY' {
  return given === 'ASK_MODERATOR' || given === 'ALWAYS_DENY' ? given : 'ALWAYS_ACCEPT';
}

function metaOf(parameters: URLSearchParams): Record<string, string> {
  const named = [...parameters].filter(([name]) => name.startsWith('meta_'));
  return Object.fromEntries(named.map(([name, value]) => [name.slice('meta_'.length).toLowerCase(), value]));
}
