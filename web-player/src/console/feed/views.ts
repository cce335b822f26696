/** A track, as far as the console shows it. */
export interface TrackView {
  readonly kind: 'video' | 'audio';
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
  readonly codecString: string;
}

/** What is measured of a stream; null for what isn't known yet. */
export interface StreamFigures {
  /** Bit/s that came in of late. */
  readonly bitrate: number;
  readonly fps: number | null;
  /** Seconds between the last two keyframes. */
  readonly keyframeInterval: number | null;
  /** Seconds since the last keyframe. */
  readonly sinceKeyframe: number | null;
  /** How far sound and picture have moved apart, ms; positive: sound is ahead. */
  readonly avDrift: number | null;
}

/** Why a stream isn't well. */
export interface HealthReason {
  /** Stable. */
  readonly code: string;
  readonly severity: 'warning' | 'bad';
  /** The figure that it is about. */
  readonly value: number | null;
  /** In English. */
  readonly message: string;
}

export interface HealthView {
  readonly state: 'good' | 'warning' | 'bad';
  readonly reasons: readonly HealthReason[];
}

/** A stream, as `GET /api/v2/streams` tells it. */
export interface StreamView {
  readonly path: string;
  readonly state: 'live' | 'waiting' | 'ended';
  readonly since: string;
  readonly viewers: number;
  readonly viewersByProtocol: Readonly<Record<string, number>>;
  readonly received: { readonly bytes: number; readonly frames: number };
  readonly tracks: readonly TrackView[];
  readonly bFrames: boolean;
  readonly figures: StreamFigures;
  readonly health: HealthView;
}

/** A session, as `GET /api/v2/sessions` tells it. */
export interface SessionView {
  readonly id: string;
  readonly action: 'publish' | 'play';
  readonly protocol: string;
  readonly path: string;
  readonly ip: string;
  readonly addresses: readonly string[];
  readonly userAgent: string | null;
  readonly identity: string;
  readonly viewer: string | null;
  readonly credential: string | null;
  readonly openedAt: string;
  readonly expiresAt: string | null;
  readonly received: number;
  readonly sent: number;
  /** Bit/s of late. */
  readonly bitrate: { readonly received: number; readonly sent: number };
  readonly ending: string | null;
  readonly transport: Readonly<Record<string, number>> | null;
}

/** A recording under way, as `GET /api/v2/recordings/active` tells it. */
export interface RecordingView {
  readonly id: string;
  readonly path: string;
  readonly container: string;
  readonly startedBy: 'configuration' | 'api';
  readonly startedAt: string;
  readonly state: 'recording' | 'waiting' | 'paused';
  readonly bytes: number;
  readonly files: number;
  readonly file: string | null;
  readonly reason: string | null;
}

/** A capture of a meeting, as `GET /api/v2/bbb/captures` tells it. */
export interface CaptureView {
  readonly id: string;
  readonly meetingId: string;
  readonly profile: string;
  readonly target: string;
  readonly state: 'waiting' | 'joining' | 'live' | 'degraded' | 'ended' | 'failed';
  readonly since: string | null;
  readonly step: string | null;
  readonly trouble: string | null;
  readonly reason: string | null;
  readonly failure: string | null;
  readonly detail: string | null;
  readonly startedAt: string;
  readonly startedBy: string;
  readonly endedAt: string | null;
  readonly generation: string | null;
  readonly pictures: number;
  readonly picturesPerSecond: number;
  readonly bytes: number;
  readonly rejoins: number;
}

/** What the server needs. */
export interface ServerLoad {
  /** Of one core: 1 is a whole one. */
  readonly cpu: number;
  readonly cores: number;
  readonly memoryBytes: number;
  /** How late timers come, in ms: the 99th percentile of the last second. */
  readonly loopDelayMs: number;
}

export interface Totals {
  readonly streams: number;
  readonly publishers: number;
  readonly viewers: number;
  readonly viewersByProtocol: Readonly<Record<string, number>>;
  /** Bit/s. */
  readonly bitrateIn: number;
  readonly bitrateOut: number;
}

/** Where media is to be had. */
export interface Ports {
  readonly rtmp: number;
  readonly rtmps: number | null;
  readonly http: number;
  readonly https: number | null;
  readonly srt: number | null;
  readonly webrtc: number | null;
}

/** Something that has happened. */
export interface FeedEvent {
  readonly id: number;
  readonly at: string;
  readonly type: string;
  readonly path: string | null;
  readonly detail: Readonly<Record<string, string | number>>;
}
