import type { Millis } from '@sluice/media';

/** Why a capture ended without being asked to. */
export const CAPTURE_FAILURES = [
  'wrong-secret',
  'wrong-password',
  'no-meeting',
  'guest-denied',
  'meeting-full',
  'link-expired',
  'meeting-ended-by-force',
  'removed',
  'unreachable',
  'bad-answer',
  'refused',
  'target-refused',
  'target-not-allowed',
  'no-browser',
  'browser-failed',
  'no-encoder',
  'not-heard',
  'too-long',
  'over-limit',
] as const;
export type CaptureFailure = (typeof CAPTURE_FAILURES)[number];

/** What is wrong with a capture that goes on. */
export type CaptureTrouble = 'silent' | 'black' | 'frozen' | 'audio-lost' | 'reconnecting' | 'target-lost' | 'slow';

export type CaptureState =
  /** For the meeting to begin. */
  | { readonly kind: 'waiting' }
  /** The browser enters the meeting; `step` is what it is at, for people. */
  | { readonly kind: 'joining'; readonly step: string; readonly attempt: number }
  | { readonly kind: 'live'; readonly since: Millis }
  | { readonly kind: 'degraded'; readonly trouble: CaptureTrouble; readonly detail: string; readonly since: Millis }
  | { readonly kind: 'ended'; readonly reason: 'meeting-ended' | 'stopped' }
  | { readonly kind: 'failed'; readonly failure: CaptureFailure; readonly detail: string };

/** A capture of a BigBlueButton meeting. It names no secret: neither a join URL nor a stream key. */
export interface CaptureInfo {
  readonly id: string;
  readonly meetingId: string;
  readonly profile: string;
  /** Where it is published to, without user, password and query, and without the stream's key. */
  readonly target: string;
  readonly state: CaptureState;
  readonly startedAt: Millis;
  readonly startedBy: string;
  /** When it ended or failed. */
  readonly endedAt: Millis | undefined;
  /** What was found out about the meeting's client: `2.x`, `3.0`, `livekit`. */
  readonly generation: string | undefined;
  readonly figures: {
    /** Pictures published in all, and a second of late. */
    readonly pictures: number;
    readonly picturesPerSecond: number;
    readonly bytes: number;
    /** How often it joined again. */
    readonly rejoins: number;
    /** What the browser and its helpers take of memory, and of processors (1.5: one and a half) in the last seconds. */
    readonly memoryBytes: number;
    readonly cpus: number;
  };
}

export interface CaptureRequest {
  readonly meetingId: string;
  /** Of `bbb.profiles`; `default` if not given. */
  readonly profile?: string | undefined;
  /** An RTMP URL that `bbb.targets` allows, or a stream path of this server. */
  readonly target: string;
  /** The meeting's password for attendees, where the API does not tell it. It signs nothing: the secret does. */
  readonly password?: string | undefined;
  /** A ready link into the meeting, instead of the API. */
  readonly joinUrl?: string | undefined;
  /** What the attendee is called. */
  readonly name?: string | undefined;
}

/** Why a capture does not begin. */
export type CaptureRefusalCode = 'bad-request' | 'over-limit' | 'already-captured' | 'not-configured' | CaptureFailure;

/** A capture that can't begin at all. Its message names no secret. */
export class CaptureRefusal extends Error {
  override readonly name = 'CaptureRefusal';
  readonly code: CaptureRefusalCode;
  /** Of the request; undefined where it isn't about one. */
  readonly field: keyof CaptureRequest | undefined;

  constructor(code: CaptureRefusalCode, message: string, field?: keyof CaptureRequest) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** What captures have come to since the process began. */
export interface CaptureTotals {
  readonly started: number;
  /** By what was wrong: ends of captures, and each trouble when it begins. */
  readonly errors: ReadonlyMap<CaptureFailure | CaptureTrouble, number>;
}

/** A line of a capture's log. It names no secret. */
export interface CaptureLogLine {
  /** Wall clock. */
  readonly at: Millis;
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What captures can be begun with. */
export interface CaptureMeans {
  /** What keeps captures from beginning at all, or some of them, with what to do about it: sentences for people. */
  readonly missing: readonly { readonly what: 'browser' | 'encoder' | 'server' | 'secret'; readonly detail: string }[];
  /** Whether any can begin: those by a link to join need neither server nor secret. */
  readonly isPossible: boolean;
  readonly profiles: readonly string[];
  /** RTMP origins that captures may publish to, beside this server. */
  readonly targets: readonly string[];
  readonly maxCaptures: number;
}

/** Captures of meetings, as the API and the console see them. */
export interface CaptureControl {
  /** Those under way, and the last ones that are over. */
  readonly captures: readonly CaptureInfo[];
  readonly totals: CaptureTotals;
  readonly means: CaptureMeans;
  /** The last lines of a capture's log, the oldest first; undefined where there is no such capture. */
  logOf(id: string): readonly CaptureLogLine[] | undefined;
  /** @throws {CaptureRefusal} where it can't begin at all */
  start(request: CaptureRequest, by: string): CaptureInfo;
  /** @returns whether there was one under way */
  stop(id: string, by: string): boolean;
}
