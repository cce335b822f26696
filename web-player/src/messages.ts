import { codecName } from './format.js';
import type { PlayerState } from './playback-state.js';
import { type PlayerProtocol, PROTOCOL_NAMES } from './protocol.js';
import type { TrackStatus } from './status-client.js';
import type { Texts } from './texts/texts.js';

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
  /** The protocol that was asked for, where again and again no picture came over it. */
  readonly nothingOver?: PlayerProtocol | undefined;
  /** The browser knows that it has no network. */
  readonly deviceOffline?: boolean;
}

export interface Unsupported {
  /** Undefined where none was asked for, and none will do. */
  readonly protocol: PlayerProtocol | undefined;
  /** Empty if the browser lacks the protocol itself. */
  readonly tracks: readonly TrackStatus[];
  /** Where it would play. */
  readonly others: readonly PlayerProtocol[];
}

const BAD_REQUEST = 400;
const UNAUTHORIZED = 401;
const TOO_MANY_REQUESTS = 429;
const SERVICE_UNAVAILABLE = 503;

/** What to say in a state; undefined where the picture speaks for itself. */
export function messageFor(state: PlayerState, context: MessageContext, texts: Texts): Message | undefined {
  switch (state) {
    case 'playing':
    case 'paused':
      return undefined;
    case 'connecting':
      return connectingMessage(context, texts);
    case 'offline':
      return context.seen
        ? { headline: texts.ended(context.path), detail: texts.mayReturn }
        : { headline: texts.notYet(context.path), detail: texts.willStart };
    case 'waiting':
      return { headline: texts.waiting };
    case 'buffering':
      return { headline: texts.buffering };
    case 'unreachable':
      return context.deviceOffline === true
        ? { headline: texts.deviceOffline, detail: texts.whenOnline }
        : { headline: texts.noAnswer, detail: texts.again };
    case 'refused':
      return refusalMessage(context.refusal, texts);
    case 'unsupported':
      return context.unsupported === undefined ? undefined : unsupportedMessage(context.unsupported, texts);
  }
}

function connectingMessage({ nothingOver, attempts }: MessageContext, texts: Texts): Message {
  if (nothingOver !== undefined) {
    return { headline: texts.nothingOver(PROTOCOL_NAMES[nothingOver]), detail: texts.chooseAuto };
  }
  return attempts === 0 ? { headline: texts.connecting } : { headline: texts.broke, detail: texts.again };
}

function refusalMessage(status: number | undefined, texts: Texts): Message {
  if (status === BAD_REQUEST) return { headline: texts.badName };
  if (status === UNAUTHORIZED) return { headline: texts.needsLink, detail: texts.linkIsOld };
  if (status === TOO_MANY_REQUESTS) return { headline: texts.full, detail: texts.again };
  if (status === SERVICE_UNAVAILABLE) return { headline: texts.goingDown, detail: texts.again };
  return { headline: texts.refused, detail: `${texts.refusedWith(status)} ${texts.again}` };
}

function unsupportedMessage({ protocol, tracks, others }: Unsupported, texts: Texts): Message {
  const over = protocol === undefined ? undefined : PROTOCOL_NAMES[protocol];
  const headline = texts.cannotPlay(codecList(tracks, texts.and), over);
  return { headline, detail: others.length > 0 ? texts.willDo(namesOf(others)) : texts.noneWillDo };
}

const namesOf = (protocols: readonly PlayerProtocol[]): string[] =>
  protocols.map((protocol) => PROTOCOL_NAMES[protocol]);

/** `HEVC (hvc1.1.6.L93.B0) and Opus` */
function codecList(tracks: readonly TrackStatus[], and: string): string {
  return tracks
    .map(({ codec, codecString }) =>
      codecString === codec ? codecName(codec) : `${codecName(codec)} (${codecString})`,
    )
    .join(` ${and} `);
}
