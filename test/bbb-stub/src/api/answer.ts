import { XMLBuilder } from 'fast-xml-parser';
import { isSince, type Skin } from '../skin.js';

/** How a failure is told: as `messageKey` and `message`, or as `errors` with its parts as elements or as attributes. */
export type ErrorShape = 'message' | 'elements' | 'attributes';

/** A call that the server refuses. */
export interface Failure {
  readonly key: string;
  readonly message: string;
}

const MESSAGES = {
  checksumError: 'Checksums do not match',
  notFound: 'A meeting with that ID does not exist',
  invalidMeetingIdentifier: 'The meeting ID that you supplied did not match any existing meetings',
  invalidPassword: 'The supplied password is neither that of an attendee nor that of a moderator',
  missingParamFullName: 'You must specify a name for the attendee who will be joining the meeting',
  missingParamMeetingID: 'You must specify a meeting ID for the meeting',
  missingParamName: 'You must specify a name for the meeting',
  meetingForciblyEnded: 'You can not join a meeting that has already been forcibly ended',
  maxParticipantsReached: 'The number of participants allowed for this meeting has been reached',
  mismatchCreateTimeParam: 'The createTime parameter submitted mismatches with the current meeting',
  guestDeny: 'Guest denied of joining the meeting',
  missingSession: 'No session token supplied, or there is no session with it',
  validationError: 'A parameter is not valid',
  sizeError: 'A parameter is too long',
  idNotUnique: 'A meeting already exists with that meeting ID. Please use a different meeting ID',
  unsupportedRequest: 'This request is not supported',
} as const;
export type FailureKey = keyof typeof MESSAGES;

export function failure(key: FailureKey, message: string = MESSAGES[key]): Failure {
  return { key, message };
}

/** These were lists of errors until 2.4, where others were messages already. */
const LISTED = new Set(['checksumError', 'missingParamFullName', 'missingParamMeetingID', 'missingParamName']);

export function shapeOf({ key }: Failure, skin: Skin): ErrorShape {
  return !isSince(skin, '2.7') && LISTED.has(key) ? 'attributes' : 'message';
}

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressBooleanAttributes: false });

/** An answer in XML. Arrays are elements of the same name. */
export function successXml(content: Readonly<Record<string, unknown>>): string {
  return builder.build({ response: { returncode: 'SUCCESS', ...content } }) as string;
}

export function failureXml({ key, message }: Failure, shape: ErrorShape): string {
  const said =
    shape === 'message'
      ? { messageKey: key, message }
      : { errors: { error: shape === 'elements' ? { key, message } : { '@key': key, '@message': message } } };
  return builder.build({ response: { returncode: 'FAILED', ...said } }) as string;
}
