import type { KeyAction } from '../controls/keys.js';
import type { LatencyBasis } from '../engines/engine.js';
import type { PlayerState } from '../playback-state.js';
import { de } from './de.js';
import { en } from './en.js';

/** What the player says, in one language. */
export interface Texts {
  /** BCP 47; numbers and times are written as it has them. */
  readonly locale: string;
  readonly states: Readonly<Record<PlayerState, string>>;
  /** At work, but in the past. */
  readonly earlier: string;
  readonly again: string;
  readonly connecting: string;
  readonly broke: string;
  readonly notYet: (path: string) => string;
  readonly willStart: string;
  readonly ended: (path: string) => string;
  readonly mayReturn: string;
  readonly waiting: string;
  readonly buffering: string;
  readonly noAnswer: string;
  readonly deviceOffline: string;
  readonly whenOnline: string;
  readonly noSource: string;
  readonly badName: string;
  readonly needsLink: string;
  readonly linkIsOld: string;
  readonly full: string;
  readonly goingDown: string;
  readonly refused: string;
  readonly refusedWith: (status: number | undefined) => string;
  readonly nothingOver: (protocol: string) => string;
  readonly chooseAuto: string;
  /** @param over the protocol, where one was asked for */
  readonly cannotPlay: (what: string, over: string | undefined) => string;
  readonly willDo: (protocols: readonly string[]) => string;
  readonly noneWillDo: string;
  readonly and: string;
  readonly stage: (path: string) => string;
  readonly controls: string;
  readonly tapForSound: string;
  readonly play: string;
  readonly pause: string;
  readonly mute: string;
  readonly unmute: string;
  readonly volume: string;
  readonly time: string;
  readonly live: string;
  readonly toLiveEdge: string;
  readonly liveWith: (name: string, value: string) => string;
  readonly liveShort: string;
  readonly captionsOn: string;
  readonly captionsOff: string;
  readonly settings: string;
  readonly cast: string;
  readonly pictureInPicture: string;
  readonly fullScreen: string;
  readonly leaveFullScreen: string;
  readonly keysTitle: string;
  readonly close: string;
  readonly space: string;
  readonly keys: Readonly<Record<Exclude<KeyAction, 'softer' | 'forward'>, string>>;
  readonly quality: string;
  readonly source: string;
  readonly auto: string;
  readonly autoNow: (name: string) => string;
  readonly captions: string;
  readonly off: string;
  readonly audioTrack: string;
  readonly protocol: string;
  readonly statistics: string;
  readonly figures: Readonly<
    Record<
      | 'protocol'
      | 'picture'
      | 'sound'
      | 'bitrate'
      | 'buffer'
      | 'dropped'
      | 'speed'
      | 'roundTrip'
      | 'lost'
      | 'stalls'
      | 'failures',
      string
    >
  >;
  readonly droppedOf: (dropped: string, all: string) => string;
  /** What the latency is, in a word and in a sentence. */
  readonly latency: Readonly<Record<LatencyBasis, readonly [name: string, meaning: string]>>;
  readonly bFrames: string;
  readonly channels: (count: number) => string;
  /** Of the player page. */
  readonly allStreams: string;
  readonly recordings: string;
  readonly viewers: (count: number) => string;
  readonly astray: string;
}

const LANGUAGES: Readonly<Record<string, Texts>> = { en, de };

/**
 * The texts in the first language that there is.
 *
 * @param languages BCP 47, the most wanted first; English where none of them is to be had
 */
export function textsFor(languages: readonly string[]): Texts {
  for (const language of languages) {
    const texts = LANGUAGES[language.toLowerCase().split('-')[0] ?? ''];
    if (texts !== undefined) return texts;
  }
  return en;
}
