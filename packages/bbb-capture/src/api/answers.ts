import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { BbbError, printable, refusalOf } from './errors.js';

/** An element: text, or elements by name. A name that comes once holds one thing, else a list. */
type Element = string | Parent;
interface Parent {
  readonly [name: string]: Element | readonly Element[];
}

/** Who is in a meeting. */
export interface Attendee {
  readonly userId: string;
  readonly name: string;
  readonly role: 'MODERATOR' | 'VIEWER';
  readonly isListeningOnly: boolean;
  readonly hasJoinedVoice: boolean;
  readonly hasVideo: boolean;
  /** `HTML5`, `FLASH`, …; empty where it is not told. */
  readonly clientType: string;
}

/** A meeting, as `getMeetingInfo` and `getMeetings` tell of it. */
export interface MeetingInfo {
  readonly meetingId: string;
  readonly name: string;
  /** Milliseconds since 1970: which of the meetings of this id it is. */
  readonly createTime: number;
  /** Whether anybody has joined it, and it hasn't ended. */
  readonly isRunning: boolean;
  readonly wasEndedByForce: boolean;
  readonly participantCount: number;
  readonly listenerCount: number;
  readonly voiceCount: number;
  /** Secret: who has it can join. */
  readonly attendeePassword: string | undefined;
  readonly attendees: readonly Attendee[];
}

/** What the API says of itself, unsigned. */
export interface ApiVersion {
  /** Of the API: `2.0`. */
  readonly api: string;
  /** Of BigBlueButton, where it tells: `3.0.4`. */
  readonly server: string | undefined;
}

const MOST_DEPTH = 24;
/** No name of an element begins so. */
const ATTRIBUTE = '@';
const TEXT = '#text';
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: ATTRIBUTE,
  textNodeName: TEXT,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: true,
  // No entity of the answer's own is ever expanded; what XML itself has, `decode` does.
  processEntities: false,
  htmlEntities: false,
  maxNestedTags: MOST_DEPTH,
});

/**
 * Reads an answer of the API.
 *
 * @param call for messages
 * @returns the `response` element of a success
 * @throws {BbbError} the refusal that it holds, in either of its two shapes; `bad-answer` for what is no answer
 */
export function readAnswer(call: string, text: string): AnswerReader {
  const root = rootOf(call, text);
  const response = new AnswerReader(root);
  const code = response.text('returncode').toUpperCase();
  if (code === 'SUCCESS') return response;
  // Until 2.4 some calls answer a list of errors, with key and message as elements or attributes.
  const error = response.child('errors')?.child('error') ?? response.child('error');
  if (error !== undefined) throw refusalOf(call, error.either('key'), error.either('message'));
  if (code === 'FAILED') throw refusalOf(call, response.text('messageKey'), response.text('message'));
  const errorText = code === '' ? 'none' : printable(code);
  throw badAnswer(call, `its returncode is ${errorText}`);
}

function rootOf(call: string, text: string): Element {
  const declared = text.search(/<!DOCTYPE/i);
  if (declared >= 0 && declared < text.indexOf('<response')) throw badAnswer(call, 'it declares a DOCTYPE');
  let parsed: unknown;
  try {
    // The parser takes what breaks off for the whole: a meeting whose end of the answer is missing would be none.
    const validity = XMLValidator.validate(text);
    if (validity !== true) throw new Error(validity.err.msg);
    parsed = parser.parse(text);
  } catch (error) {
    throw badAnswer(call, `it is no XML (${printable(error instanceof Error ? error.message : String(error))})`);
  }
  if (typeof parsed === 'object' && parsed !== null && Object.hasOwn(parsed, 'response')) {
    return (parsed as { response: Element }).response;
  }
  throw badAnswer(call, 'it has no <response>');
}

function badAnswer(call: string, why: string): BbbError {
  const advice = 'Does bbb.url end in /bigbluebutton/api, and is a proxy in the way?';
  return new BbbError('bad-answer', `the answer to ${call} is none of BigBlueButton: ${why}. ${advice}`);
}

/** Elements of an answer, by name. What is missing is empty; nothing that an answer holds makes it throw. */
export class AnswerReader {
  readonly #element: Element;

  constructor(element: Element) {
    this.#element = element;
  }

  /** Decoded; empty where there is none. */
  text(name: string): string {
    const [first] = this.#all(name);
    // Text with attributes around it is an element with a name of its own for the text.
    const own = typeof first === 'object' && Object.hasOwn(first, TEXT) ? (first as Parent)[TEXT] : first;
    return typeof own === 'string' ? decode(own) : '';
  }

  /** An element's text or else an attribute's. */
  either(name: string): string {
    return this.text(name) || this.text(`${ATTRIBUTE}${name}`);
  }

  optional(name: string): string | undefined {
    const text = this.text(name);
    return text === '' ? undefined : text;
  }

  /** A whole number that is exact, not negative; 0 for anything else. */
  number(name: string): number {
    const text = this.text(name);
    const value = /^\d{1,16}$/.test(text) ? Number(text) : 0;
    return Number.isSafeInteger(value) ? value : 0;
  }

  flag(name: string): boolean {
    return this.text(name).toLowerCase() === 'true';
  }

  child(name: string): AnswerReader | undefined {
    const [first] = this.#all(name);
    return first === undefined || typeof first === 'string' ? undefined : new AnswerReader(first);
  }

  children(name: string): AnswerReader[] {
    return this.#all(name)
      .filter((element) => typeof element !== 'string')
      .map((element) => new AnswerReader(element));
  }

  #all(name: string): readonly Element[] {
    if (typeof this.#element === 'string' || !Object.hasOwn(this.#element, name)) return [];
    const value = this.#element[name];
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [value as Element];
  }
}

/** @param answer a `meeting` element, or the answer to `getMeetingInfo`, which is one itself */
export function meetingIn(answer: AnswerReader): MeetingInfo {
  return {
    meetingId: answer.text('meetingID'),
    name: answer.text('meetingName'),
    createTime: answer.number('createTime'),
    isRunning: answer.flag('running'),
    wasEndedByForce: answer.flag('hasBeenForciblyEnded'),
    participantCount: answer.number('participantCount'),
    listenerCount: answer.number('listenerCount'),
    voiceCount: answer.number('voiceParticipantCount'),
    attendeePassword: answer.optional('attendeePW'),
    attendees: (answer.child('attendees')?.children('attendee') ?? []).map((attendee) => ({
      userId: attendee.text('userID'),
      name: attendee.text('fullName'),
      role: attendee.text('role') === 'MODERATOR' ? 'MODERATOR' : 'VIEWER',
      isListeningOnly: attendee.flag('isListeningOnly'),
      hasJoinedVoice: attendee.flag('hasJoinedVoice'),
      hasVideo: attendee.flag('hasVideo'),
      clientType: attendee.text('clientType'),
    })),
  };
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The five entities of XML and character references, once; others stay as they are. */
function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(lt|gt|amp|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name).toLowerCase()] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    const isCharacter = point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
    return isCharacter ? String.fromCodePoint(point) : whole;
  });
}
