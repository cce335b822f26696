import type { TrackConfig } from '@sluice/media';
import type { StreamState } from './stream.js';
import type { StreamFigures } from './stream-meter.js';

/** What can be wrong with a stream. */
export const HEALTH_CODES = [
  'encoder-gone',
  'nothing-comes',
  'no-picture',
  'no-tracks',
  'no-keyframe',
  'keyframes-rare',
  'frames-dropped',
  'av-drift',
  'b-frames',
  'reconnects',
] as const;
export type HealthCode = (typeof HEALTH_CODES)[number];

/** One thing that is wrong. */
export interface HealthReason {
  readonly code: HealthCode;
  /** `bad`: viewers see it. `warning`: they may, or soon will. */
  readonly severity: 'warning' | 'bad';
  /** The figure that it is about. */
  readonly value: number | undefined;
  /** In words, with what helps. */
  readonly message: string;
}

/** How a stream is: as its worst reason says. */
export interface StreamHealth {
  readonly state: 'good' | 'warning' | 'bad';
  readonly reasons: readonly HealthReason[];
}

/** What health is judged by. */
export interface HealthFacts {
  readonly state: StreamState;
  readonly tracks: readonly TrackConfig[];
  readonly hasBFrames: boolean;
  /** Who watch over WebRTC, which has no B-frames. */
  readonly webRtcViewers: number;
  readonly figures: StreamFigures;
}

/** Encoders send several times a second; after this something is wrong. */
const SILENT_SECONDS = 3;
const PICTURELESS_SECONDS = 3;
/** Who comes waits for a keyframe; segments are as long as the distance between two. */
const KEYFRAME_RARE_SECONDS = 5;
const NO_KEYFRAME_SECONDS = 15;
/** Of what the encoder promised, or of what is usual. */
const FRAMES_SHARE = 0.8;
/** ITU-R BT.1359: from about here on people notice. */
const DRIFT_MS = 80;
const DRIFT_BAD_MS = 250;
const OFTEN_RECONNECTS = 3;

/** How a stream is, and why. */
export function streamHealth(facts: HealthFacts): StreamHealth {
  const reasons = [...reasonsOf(facts)];
  const isBad = reasons.some(({ severity }) => severity === 'bad');
  return { state: isBad ? 'bad' : reasons.length > 0 ? 'warning' : 'good', reasons };
}

function* reasonsOf(facts: HealthFacts): Generator<HealthReason> {
  const { state, figures } = facts;
  if (figures.reconnects >= OFTEN_RECONNECTS) {
    const n = figures.reconnects;
    yield reason(
      'reconnects',
      'warning',
      n,
      `the encoder came back ${n} times in the last 5 minutes: look at its line`,
    );
  }
  if (state !== 'live') {
    yield reason('encoder-gone', 'bad', undefined, 'the encoder is gone; viewers wait for it to come back');
    return;
  }
  if (figures.silentSeconds >= SILENT_SECONDS) {
    const n = Math.round(figures.silentSeconds);
    yield reason('nothing-comes', 'bad', n, `nothing has come from the encoder for ${n} s, though it is connected`);
    return;
  }
  yield* pictureReasons(facts);
  yield* soundReasons(figures);
}

function* pictureReasons({ tracks, hasBFrames, webRtcViewers, figures }: HealthFacts): Generator<HealthReason> {
  const video = tracks.find((track) => track.kind === 'video');
  if (video === undefined) {
    if (tracks.length === 0 && figures.picturelessSeconds >= PICTURELESS_SECONDS) {
      yield reason('no-tracks', 'bad', undefined, 'the encoder has not said what it sends: nobody can decode it');
    }
    return;
  }
  if (figures.picturelessSeconds >= PICTURELESS_SECONDS) {
    const n = Math.round(figures.picturelessSeconds);
    yield reason('no-picture', 'bad', n, `no picture has come for ${n} s, though other data has`);
    return;
  }
  yield* keyframeReasons(figures);
  const wanted = video.kind === 'video' ? (video.frameRate ?? figures.usualFps) : undefined;
  // The first seconds are counted from a beginning that lies anywhere in them.
  if (wanted !== undefined && figures.usualFps !== undefined && figures.fps !== undefined) {
    if (figures.fps < wanted * FRAMES_SHARE) {
      const [fps, full] = [round(figures.fps), round(wanted)];
      const message = `${fps} pictures a second come instead of ${full}: the encoder or its line can't keep up`;
      yield reason('frames-dropped', figures.fps < wanted / 2 ? 'bad' : 'warning', fps, message);
    }
  }
  if (hasBFrames && webRtcViewers > 0) {
    const message = `it has B-frames, which ${webRtcViewers} viewers over WebRTC see as stutter; set bframes to 0`;
    yield reason('b-frames', 'warning', webRtcViewers, message);
  }
}

function* keyframeReasons({ sinceKeyframe, keyframeInterval }: StreamFigures): Generator<HealthReason> {
  if (sinceKeyframe !== undefined && sinceKeyframe > NO_KEYFRAME_SECONDS) {
    const n = Math.round(sinceKeyframe);
    yield reason('no-keyframe', 'bad', n, `no keyframe for ${n} s: nobody who comes now sees a picture`);
  } else if (keyframeInterval !== undefined && keyframeInterval > KEYFRAME_RARE_SECONDS) {
    const n = round(keyframeInterval);
    const message = `a keyframe only every ${n} s: segments get as long, and who comes waits; 2 s is a good interval`;
    yield reason('keyframes-rare', 'warning', n, message);
  }
}

function* soundReasons({ avDrift }: StreamFigures): Generator<HealthReason> {
  if (avDrift === undefined || Math.abs(avDrift) <= DRIFT_MS) return;
  const side = avDrift > 0 ? 'ahead of' : 'behind';
  const message = `sound has moved ${Math.abs(avDrift)} ms ${side} the picture since the encoder began`;
  yield reason('av-drift', Math.abs(avDrift) > DRIFT_BAD_MS ? 'bad' : 'warning', avDrift, message);
}

function reason(
  code: HealthCode,
  severity: HealthReason['severity'],
  value: number | undefined,
  message: string,
): HealthReason {
  return { code, severity, value, message };
}

const round = (value: number): number => Math.round(value * 10) / 10;
