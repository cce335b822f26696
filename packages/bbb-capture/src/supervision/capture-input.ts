import type { CaptureFailure, CaptureTrouble } from '@sluice/core';

/** What became of a browser's stay in a meeting. */
export type StayNews =
  /** What it is at, for people. */
  | { readonly kind: 'step'; readonly step: string }
  /** A moderator has to let it in. */
  | { readonly kind: 'lobby' }
  /** It is in the meeting, is heard, and gives pictures. */
  | { readonly kind: 'live' }
  /** Where `isFault` is false, it may be meant so: a still slide, a silent room. */
  | {
      readonly kind: 'trouble';
      readonly trouble: CaptureTrouble;
      readonly detail: string;
      readonly isFault: boolean;
    }
  | { readonly kind: 'well'; readonly trouble: CaptureTrouble }
  /** The page says that the meeting is over. */
  | { readonly kind: 'meeting-ended' }
  /** It can't go on, whoever is to blame: kicked, refused, crashed. `hasBegun`: whether anything could be captured. */
  | { readonly kind: 'failed'; readonly failure: CaptureFailure; readonly detail: string; readonly hasBegun: boolean }
  /** Nothing is left of it: neither browser nor encoder. */
  | { readonly kind: 'closed' };

/** Whatever happens to a capture. */
export type CaptureInput =
  /** The meeting runs: each time that BBB says so. `isAlone`: nobody is in it beside the capture. */
  | { readonly kind: 'running'; readonly createTime: number; readonly isAlone: boolean }
  /** BBB says that it has ended. */
  | { readonly kind: 'over' }
  /** BBB gives no answer, or none that can be read. */
  | { readonly kind: 'unanswered'; readonly failure: CaptureFailure; readonly detail: string }
  /** BBB has answered, whatever it said. */
  | { readonly kind: 'answered' }
  /** BBB's answer leaves no hope. */
  | { readonly kind: 'refused'; readonly failure: CaptureFailure; readonly detail: string }
  /** @see CaptureAction `open`: news of a stay that is not the one under way are left aside */
  | { readonly kind: 'stay'; readonly stay: number; readonly news: StayNews }
  | { readonly kind: 'target-live' }
  /** `refused`: the server said no. */
  | { readonly kind: 'target-lost'; readonly detail: string; readonly refused: boolean }
  /** What the browser and its children take: memory, and processors since the last time, where that is known. */
  | { readonly kind: 'usage'; readonly bytes: number; readonly cpus: number | undefined }
  /** Somebody has asked for its end. */
  | { readonly kind: 'stop' }
  /** Time has passed. */
  | { readonly kind: 'tick' };

/** What is to be done. */
export type CaptureAction =
  /** Start a browser, and enter the meeting. */
  | { readonly kind: 'open'; readonly stay: number; readonly createTime: number | undefined }
  /** Leave the meeting and end the browser, whatever it is at; `closed` is to follow. */
  | { readonly kind: 'close'; readonly stay: number }
  /** It is over: end the publish and the watch. Nothing follows. */
  | { readonly kind: 'finish' };
