import type { IncomingMessage } from 'node:http';
import { ZodError } from 'zod';
import { action } from '../meeting/action.js';
import type { Meeting } from '../meeting/meeting.js';
import type { Meetings } from '../meeting/meetings.js';
import { meetingOptions } from '../meeting/options.js';
import type { ReceivedCall } from './api-route.js';
import { type Faults, fault } from './faults.js';
import { json, type Reply } from './reply.js';

export const CONTROL = '/stub';
const MAX_BODY = 65_536;

/** What is driven. */
export interface Controlled {
  readonly meetings: Meetings;
  readonly faults: Faults;
  readonly calls: readonly ReceivedCall[];
  joinUrl(parameters: { meetingID: string; fullName: string; [name: string]: string }): string;
}

/**
 * What drives the stub from outside. `GET /stub/meetings`, `POST /stub/meetings` (a meeting's options),
 * `POST /stub/meetings/ID/DO` (an action's fields), `GET /stub/meetings/ID/join?fullName=…` (a signed link),
 * `GET /stub/calls`, `POST /stub/faults` and `POST /stub/faults/clear`.
 */
export async function control(path: string, query: string, request: IncomingMessage, stub: Controlled): Promise<Reply> {
  const [what = '', id = '', act = ''] = path.split('/').filter(Boolean).map(decodeURIComponent);
  try {
    if (request.method === 'GET') return read(stub, { what, id, act }, new URLSearchParams(query));
    if (request.method !== 'POST') return json({ error: `${request.method} is not for ${path}` }, 405);
    const body: unknown = JSON.parse((await bodyOf(request)) || '{}');
    if (what === 'faults' && id === 'clear') {
      stub.faults.clear();
    } else if (what === 'faults' && id === '') {
      stub.faults.add(fault.parse(body));
    } else if (what === 'meetings' && id === '') {
      const meeting = stub.meetings.create(meetingOptions.parse(body));
      return json({ meetingID: meeting.id, createTime: meeting.createTime }, 201);
    } else if (what === 'meetings' && act !== '') {
      const meeting = stub.meetings.get(id);
      if (meeting === undefined) return json({ error: `there is no meeting ${id}` }, 404);
      meeting.act(action.parse({ ...(body as object), do: act }));
    } else {
      return json({ error: `${path} is not of the control API` }, 404);
    }
    return json({ ok: true });
  } catch (error) {
    if (error instanceof ZodError || error instanceof SyntaxError || error instanceof RangeError) {
      return json({ error: error.message }, 400);
    }
    throw error;
  }
}

function read(
  stub: Controlled,
  { what, id, act }: { what: string; id: string; act: string },
  query: URLSearchParams,
): Reply {
  if (what === 'calls') return json(stub.calls);
  if (what === 'meetings' && id === '') return json([...stub.meetings].map(describe));
  if (what === 'meetings' && act === 'join') {
    const meeting = stub.meetings.get(id);
    if (meeting === undefined) return json({ error: `there is no meeting ${id}` }, 404);
    const rest = Object.fromEntries(query);
    return json({ url: stub.joinUrl({ ...rest, meetingID: id, fullName: rest.fullName ?? 'Guest' }) });
  }
  return json({ error: `/${what}/${id} is not of the control API` }, 404);
}

function describe(meeting: Meeting): unknown {
  return {
    meetingID: meeting.id,
    skin: meeting.skin,
    state: meeting.state,
    createTime: meeting.createTime,
    chat: meeting.chat,
    attendees: meeting.attendees.map(({ joiner, audio, guestStatus, isOut, isPresent }) => {
      return { ...joiner, guestStatus, audio, isOut, isPresent };
    }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) throw new RangeError(`the body has more than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
