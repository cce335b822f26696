import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Attendee } from '../meeting/attendee.js';
import type { Meeting } from '../meeting/meeting.js';
import type { Meetings } from '../meeting/meetings.js';
import type { ClientMessage } from '../protocol.js';
import { linkPath, sessionOf } from './client-route.js';

/** What a server's signalling listens at beside the client's own connection: it takes an upgrade, and no more. */
const SIGNALLING = ['/bbb-webrtc-sfu', '/graphql', '/livekit', '/livekit/rtc'];

const clientMessage: z.ZodType<ClientMessage> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('audio'), mode: z.enum(['none', 'listen-only', 'voice']) }),
  z.object({ kind: z.literal('chat'), text: z.string().max(5000) }),
]);

/** The WebSockets of clients. */
export class Links {
  readonly #server = new WebSocketServer({ noServer: true, handleProtocols: (names) => [...names][0] ?? false });
  readonly #meetings: Meetings;

  constructor(meetings: Meetings) {
    this.#meetings = meetings;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A connection may break at any time; then it is closed, and there is nothing to do.
    socket.on('error', () => socket.destroy());
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stub');
    const session = sessionOf(request, searchParams, this.#meetings);
    const isClient = session !== undefined && pathname === linkPath(session.meeting);
    if (isClient && session.attendee.refusedUntil > Date.now()) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
    } else if (isClient || SIGNALLING.includes(pathname)) {
      this.#server.handleUpgrade(request, socket, head, (link) => {
        link.on('error', () => link.terminate());
        if (isClient) serve(link, session);
      });
    } else {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    }
  }

  close(): void {
    for (const link of this.#server.clients) link.terminate();
    this.#server.close();
  }
}

function serve(socket: WebSocket, { meeting, attendee }: { meeting: Meeting; attendee: Attendee }): void {
  const link = {
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    drop: () => socket.terminate(),
  };
  meeting.came(attendee, link);
  socket.on('message', (data: RawData) => {
    const read = readMessage(data.toString());
    if (read === undefined) socket.close(1008, 'not a message of the stub');
    else if (attendee.isOut) return;
    else if (read.kind === 'audio') attendee.audio = read.mode;
    else meeting.say({ from: attendee.joiner.fullName, text: read.text });
  });
  socket.on('close', () => {
    if (attendee.link === link) meeting.gone(attendee);
  });
}

/** @returns undefined where it isn't one */
function readMessage(text: string): ClientMessage | undefined {
  try {
    return clientMessage.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}
