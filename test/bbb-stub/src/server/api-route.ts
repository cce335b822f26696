import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorShape, type Failure, failure, failureXml, shapeOf, successXml } from '../api/answer.js';
import { CALLS } from '../api/calls.js';
import { type ChecksumAlgorithm, isSigned } from '../api/checksum.js';
import { join } from '../api/join.js';
import type { Attendee } from '../meeting/attendee.js';
import type { Meetings } from '../meeting/meetings.js';
import type { Skin } from '../skin.js';
import type { Faults } from './faults.js';
import { html, type Reply, redirect, send, xml } from './reply.js';

export const API = '/bigbluebutton/api';
export const SESSION_COOKIE = 'JSESSIONID';
const SESSION = /(?:^|; *)JSESSIONID=([0-9A-F]{32})(?:;|$)/;

/** A call that came, without its checksum. */
export interface ReceivedCall {
  readonly call: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** `SUCCESS`, the key of a failure, or `fault` where something was made to go wrong. */
  readonly answer: string;
  readonly at: number;
}

export interface ApiOptions {
  readonly skin: Skin;
  readonly secret: string;
  readonly algorithms: readonly ChecksumAlgorithm[];
  /** Of all failures; by default as the generation does it. */
  readonly errorShape: ErrorShape | undefined;
  readonly endDelayMs: number;
}

/** The calls of the API, and joining. */
export class ApiRoute {
  readonly received: ReceivedCall[] = [];
  readonly #options: ApiOptions;
  readonly #meetings: Meetings;
  readonly #faults: Faults;

  constructor(options: ApiOptions, meetings: Meetings, faults: Faults) {
    this.#options = options;
    this.#meetings = meetings;
    this.#faults = faults;
  }

  /** @param path what stands behind the API's address. @param query as it came */
  async handle(path: string, query: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = path.replace(/^\//, '').replace(/\/$/, '');
    const fault = await this.#faults.take(call);
    if (fault !== undefined) {
      this.#remember(call, query, 'fault');
      if (fault === 'hang') return;
      if (fault === 'reset') request.socket.destroy();
      else if (fault === 'malformed') send(response, xml('<response><returncode>SUCCESS</returncode><running>tr'));
      else if (fault === 'page') send(response, html('<!doctype html><title>Maintenance</title><p>Back soon.'));
      else send(response, html(`<!doctype html><title>Error ${fault.status}</title>`, fault.status));
      return;
    }
    const { answer, reply } = this.#answer(call, query, request);
    this.#remember(call, query, answer);
    send(response, reply);
  }

  #answer(call: string, query: string, request: IncomingMessage): { answer: string; reply: Reply } {
    const parameters = new URLSearchParams(query);
    if (call === '') {
      const version = { version: '2.0', apiVersion: '2.0', bbbVersion: '' };
      return { answer: 'SUCCESS', reply: xml(successXml(version)) };
    }
    if (call === 'join') return this.#join(parameters, query, request);
    const act = Object.hasOwn(CALLS, call) ? CALLS[call] : undefined;
    if (act === undefined) return this.#refuse(failure('unsupportedRequest'));
    if (!isSigned(call, query, this.#options)) return this.#refuse(failure('checksumError'));
    const outcome = act(parameters, this.#meetings, this.#options);
    if ('failure' in outcome) return this.#refuse(outcome.failure);
    return { answer: 'SUCCESS', reply: xml(successXml(outcome.content)) };
  }

  #join(parameters: URLSearchParams, query: string, request: IncomingMessage): { answer: string; reply: Reply } {
    const wantsXml = parameters.get('redirect') === 'false';
    const logoutUrl = this.#meetings.get(parameters.get('meetingID') ?? '')?.settings.logoutURL ?? '/';
    const refuse = (why: Failure) => {
      if (wantsXml) return this.#refuse(why);
      const errors = new URLSearchParams({ errors: JSON.stringify([why]) });
      return { answer: why.key, reply: redirect(`${logoutUrl}?${errors}`) };
    };
    if (request.method !== 'GET') return this.#refuse(failure('unsupportedRequest'));
    if (!isSigned('join', query, this.#options)) return refuse(failure('checksumError'));
    const outcome = join(parameters, this.#meetings, sessionCookie(request), this.#options.skin);
    if ('failure' in outcome) return refuse(outcome.failure);
    const { meeting, attendee, path } = outcome;
    const cookie = { 'set-cookie': `${SESSION_COOKIE}=${attendee.cookie}; Path=/; HttpOnly` };
    if (!wantsXml) return { answer: 'SUCCESS', reply: redirect(path, cookie) };
    const body = successXml({
      messageKey: 'successfullyJoined',
      message: 'You have joined successfully.',
      meeting_id: meeting.internalId,
      user_id: attendee.internalId,
      auth_token: authToken(attendee),
      session_token: attendee.sessionToken,
      guestStatus: attendee.guestStatus,
      url: path,
    });
    return { answer: 'SUCCESS', reply: { ...xml(body), headers: cookie } };
  }

  #refuse(why: Failure): { answer: string; reply: Reply } {
    const shape = this.#options.errorShape ?? shapeOf(why, this.#options.skin);
    return { answer: why.key, reply: xml(failureXml(why, shape)) };
  }

  #remember(call: string, query: string, answer: string): void {
    const parameters = new URLSearchParams(query);
    parameters.delete('checksum');
    this.received.push({ call, parameters: Object.fromEntries(parameters), answer, at: Date.now() });
  }
}

/** The cookie of the browser's session, or one for a new session. */
function sessionCookie(request: IncomingMessage): string {
  const [, known] = SESSION.exec(request.headers.cookie ?? '') ?? [];
  return known ?? randomBytes(16).toString('hex').toUpperCase();
}

function authToken({ sessionToken }: Attendee): string {
  return sessionToken.slice(0, 12);
}
