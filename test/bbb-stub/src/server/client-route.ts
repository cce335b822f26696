import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Attendee } from '../meeting/attendee.js';
import type { Meeting } from '../meeting/meeting.js';
import type { Meetings } from '../meeting/meetings.js';
import type { ClientSettings } from '../protocol.js';
import { isSince } from '../skin.js';
import { SESSION_COOKIE } from './api-route.js';
import { html, json, type Reply, redirect } from './reply.js';

/** Scripts of the pages, as they were built: from the sources' folder and from the built one it is the same. */
const BUILT = new URL('../../dist/', import.meta.url);
const SCRIPT = /^\/html5client\/assets\/((?:client\/)?[a-z-]+\.js)$/;

/** Where a client's connection is, as it is in its generation. */
export function linkPath({ skin }: Meeting): string {
  return isSince(skin, '3.0') ? '/graphql' : '/html5client/sockjs/websocket';
}

/** Whether a request comes from the browser that joined. */
export function hasSession(request: IncomingMessage, attendee: Attendee): boolean {
  const cookies = (request.headers.cookie ?? '').split(/; */);
  return cookies.includes(`${SESSION_COOKIE}=${attendee.cookie}`);
}

/** The session that a request names and has the cookie of. */
export function sessionOf(
  request: IncomingMessage,
  parameters: URLSearchParams,
  meetings: Meetings,
): { meeting: Meeting; attendee: Attendee } | undefined {
  const session = meetings.session(parameters.get('sessionToken') ?? '');
  if (session === undefined || session.attendee.isOut || !hasSession(request, session.attendee)) return undefined;
  return session;
}

/** The client's page: the same for who has a session and who hasn't; its script asks. */
export function clientPage(meetings: Meetings, parameters: URLSearchParams): Reply {
  const meeting = meetings.session(parameters.get('sessionToken') ?? '')?.meeting;
  return html(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>BigBlueButton - ${escapeHtml(meeting?.settings.name ?? '')}</title>
<meta name="viewport" content="width=device-width"></head>
<body data-skin="${meeting?.skin ?? ''}"><div id="app"></div>
<script type="module" src="/html5client/assets/client/main.js"></script></body></html>`);
}

/** What the client asks first: who it is. */
export function enter(request: IncomingMessage, parameters: URLSearchParams, meetings: Meetings): Reply {
  const session = sessionOf(request, parameters, meetings);
  if (session === undefined) {
    const message = 'Could not find a session with this token.';
    return json({ response: { returncode: 'FAILED', messageKey: 'missingSession', message } }, 401);
  }
  const { meeting, attendee } = session;
  const settings: ClientSettings = {
    skin: meeting.skin,
    locale: localeOf(attendee, meeting),
    userId: attendee.joiner.userID,
    userName: attendee.joiner.fullName,
    role: attendee.joiner.role,
    meetingName: meeting.settings.name,
    guestStatus: attendee.guestStatus,
    userdata: attendee.joiner.userdata,
    audioDialog: meeting.settings.audioDialog,
    mountDelayMs: meeting.settings.mountDelayMs,
    overlayMs: meeting.settings.overlayMs,
    link: linkPath(meeting),
    logoutUrl: meeting.settings.logoutURL,
    picture: meeting.picture,
    sound: meeting.sound,
  };
  return json({ response: { returncode: 'SUCCESS', settings } });
}

/** One of the page's scripts. */
export async function script(path: string): Promise<Reply | undefined> {
  const [, name] = SCRIPT.exec(path) ?? [];
  if (name === undefined) return undefined;
  const file = new URL(name, BUILT);
  try {
    return { status: 200, type: 'text/javascript', body: await readFile(file, 'utf8') };
  } catch (error) {
    const why = `the stub's page needs ${fileURLToPath(file)}, which can't be read; "npx tsc -b" builds it`;
    throw new Error(why, { cause: error });
  }
}

/** The front page, to which a failed join and a log-out lead. */
export function frontPage(): Reply {
  return html(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>BigBlueButton</title></head>
<body><h1>Welcome</h1><p>Rooms are entered by a link.</p></body></html>`);
}

/** Those whom a moderator has let in go on to the client. */
export function guestWait(request: IncomingMessage, parameters: URLSearchParams, meetings: Meetings): Reply {
  const session = sessionOf(request, parameters, meetings);
  if (session?.attendee.guestStatus === 'ALLOW') {
    return redirect(`/html5client/join?sessionToken=${session.attendee.sessionToken}`);
  }
  return clientPage(meetings, parameters);
}

function localeOf({ joiner }: Attendee, meeting: Meeting): 'en' | 'de' {
  const wanted = joiner.userdata.bbb_override_default_locale ?? meeting.settings.locale;
  return wanted.toLowerCase().startsWith('de') ? 'de' : 'en';
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
