import type { CaptureProfile, Logger } from '@sluice/core';
import type { Micros, Sample, TrackConfig } from '@sluice/media';
import type { Page } from 'playwright-core';
import type { CaptureBrowser } from '../browser/browser.js';
import type { PictureLook } from './picture-look.js';

/** What a capture gives. */
export type CaptureEvent =
  | { readonly type: 'config'; readonly config: TrackConfig }
  | { readonly type: 'sample'; readonly sample: Sample }
  /** What the picture was like a moment ago, once a second. */
  | ({ readonly type: 'look' } & PictureLook)
  /** The loudest sample of a block of sound: 0 to 1. */
  | { readonly type: 'level'; readonly peak: number }
  /** The tab, the encoder or the connection to them is gone. */
  | { readonly type: 'lost'; readonly reason: string };

export interface CaptureOptions {
  readonly browser: CaptureBrowser;
  readonly profile: Pick<CaptureProfile, 'width' | 'height' | 'fps' | 'videoKbps' | 'audioKbps'>;
  /** ffmpeg's file. */
  readonly ffmpeg: string;
  readonly onEvent: (event: CaptureEvent) => void;
  readonly log: Logger;
  /** Where times of samples count from, `process.hrtime` in microseconds; the beginning by default. */
  readonly epoch?: Micros;
}

/** A tab whose picture and sound are captured, whatever it is led to. */
export interface Capture {
  readonly tab: Page;
  /** Of the ffmpeg that encodes, at the moment. */
  readonly encoderPid: number | undefined;
  /** Closes its tabs; the browser stays. */
  close(): Promise<void>;
}

export const VIDEO_TRACK = 0;
export const AUDIO_TRACK = 1;

/** What samples are timed by: microseconds of the monotonic clock. */
export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
