import { codecName } from './format.js';
import type { PlayerState } from './playback-state.js';
import { type PlayerProtocol, PROTOCOL_NAMES } from './protocol.js';
import type { TrackStatus } from './status-client.js';

/** What is told over the picture. */
export interface Message {
  readonly headline: string;
  readonly detail?: string;
}

export interface MessageContext {
  readonly path: string;
  /** Whether it has been seen since the page was opened. */
  readonly seen: boolean;
  /** Attempts since it last played. */
  readonly attempts: number;
  /** The status of a refusal. */
  readonly refusal?: number | undefined;
  /** Why the browser can't play it. */
  readonly unsupported?: Unsupported | undefined;
}

export interface Unsupported {
  readonly protocol: PlayerProtocol;
  /** Empty if the browser lacks the protocol itself. */
  readonly tracks: readonly TrackStatus[];
  /** Where it would play. */
  readonly others: readonly PlayerProtocol[];
}

const AGAIN = 'Trying again …';
const BAD_REQUEST = 400;
const UNAUTHORIZED = 401;
const TOO_MANY_REQUESTS = 429;
const SERVICE_UNAVAILABLE = 503;

/** What to say in a state; undefined where the picture speaks for itself. */
export function messageFor(state: PlayerState, context: MessageContext): Message | undefined {
  switch (state) {
    case 'playing':
    case 'paused':
      return undefined;
    case 'connecting':
      return context.attempts === 0
        ? { headline: 'Connecting …' }
        : { headline: 'The connection broke.', detail: AGAIN };
    case 'offline':
      return context.seen
        ? { headline: `${context.path} has ended.`, detail: 'If it comes back, it will start by itself.' }
        : { headline: `${context.path} is not live yet.`, detail: 'It will start by itself.' };
    case 'waiting':
      return { headline: 'Waiting for the encoder to come back …' };
    case 'buffering':
      return { headline: 'Buffering …' };
    case 'unreachable':
      return { headline: 'The server does not answer.', detail: AGAIN };
    case 'refused':
      return refusalMessage(context.refusal);
    case 'unsupported':
      return context.unsupported === undefined ? undefined : unsupportedMessage(context.unsupported);
  }
}

function refusalMessage(status: number | undefined): Message {
  if (status === BAD_REQUEST) return { headline: 'This is no name that a stream can have.' };
  if (status === UNAUTHORIZED) {
    return {
      headline: 'You need a valid link to watch this.',
      detail: 'The one that you have is missing its key, or is too old.',
    };
  }
  if (status === TOO_MANY_REQUESTS) return { headline: 'The server takes no more viewers just now.', detail: AGAIN };
  if (status === SERVICE_UNAVAILABLE) return { headline: 'The server is going down or overloaded.', detail: AGAIN };
  return { headline: 'The server does not let you watch this.', detail: `It answered ${status}. ${AGAIN}` };
}

function unsupportedMessage({ protocol, tracks, others }: Unsupported): Message {
  const what = tracks.length === 0 ? '' : `${codecList(tracks)} over `;
  const headline = `This browser can't play ${what}${PROTOCOL_NAMES[protocol]}.`;
  if (others.length > 0) {
    const names = others.map((other) => PROTOCOL_NAMES[other]).join(' or ');
    return { headline, detail: `${names} will do: choose it below.` };
  }
  return { headline, detail: 'Nor over another protocol. Another browser may, or the encoder can send H.264 and AAC.' };
}

/** `HEVC (hvc1.1.6.L93.B0) and Opus` */
function codecList(tracks: readonly TrackStatus[]): string {
  return tracks
    .map(({ codec, codecString }) =>
      codecString === codec ? codecName(codec) : `${codecName(codec)} (${codecString})`,
    )
    .join(' and ');
}
