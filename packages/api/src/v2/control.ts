import type {
  ApiKey,
  AuditLog,
  AuditTrail,
  Bans,
  CaptureControl,
  Clock,
  ConfigChange,
  Directory,
  Disks,
  Doctor,
  EventBus,
  Gate,
  LiveConfig,
  RecordingChecks,
  RecordingControl,
  RecordingIndex,
  RecordingRemoval,
  RecordingTotals,
  SessionHistory,
  SessionRegistry,
  Snapshots,
  StreamKey,
  StreamRouter,
  TokenIssuer,
  TrafficMeter,
  TranscoderStatus,
  User,
} from '@sluice/core';
import type { Admission } from '../auth/admission.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { Logins } from '../auth/logins.js';
import type { Feed } from '../feed/feed.js';

/** Changes settings while the server runs. Each throws ConfigError and leaves what was in force. */
export interface ConfigControl {
  readonly live: LiveConfig;
  set(values: ReadonlyMap<string, unknown>, by: string): Promise<ConfigChange>;
  unset(key: string): Promise<ConfigChange | undefined>;
  reload(): Promise<ConfigChange>;
}

/** How the server is. */
export interface Health {
  /** What keeps it from serving; empty while all is well. */
  problems(): readonly string[];
}

/** What is recorded, and what is being recorded. */
export interface Recordings {
  readonly index: RecordingIndex & RecordingTotals;
  readonly control: RecordingControl;
  readonly removal: RecordingRemoval;
  readonly checks: RecordingChecks;
}

/** What the control plane controls. */
export interface Control {
  readonly version: string;
  readonly startedAt: number;
  readonly clock: Clock;
  readonly router: StreamRouter;
  readonly registry: SessionRegistry;
  readonly gate: Gate;
  readonly bans: Bans;
  readonly users: Directory<User>;
  readonly streamKeys: Directory<StreamKey>;
  readonly apiKeys: Directory<ApiKey>;
  readonly history: SessionHistory;
  readonly auditLog: AuditLog;
  readonly audit: AuditTrail;
  readonly config: ConfigControl;
  readonly tokens: TokenIssuer;
  readonly health: Health;
  readonly captures: CaptureControl;
  readonly transcoder: { readonly status: TranscoderStatus };
  readonly recordings: Recordings;
  readonly doctor: Doctor;
  readonly disks: Disks;
  readonly events: EventBus;
  readonly traffic: TrafficMeter;
  readonly snapshots: Snapshots;
  /** Undefined while media can't be reached yet. */
  readonly mediaPorts: () => MediaPorts | undefined;
}

/** Where media is to be had; undefined for what is off. */
export interface MediaPorts {
  readonly rtmp: number;
  readonly rtmps: number | undefined;
  readonly http: number;
  readonly https: number | undefined;
  readonly srt: number | undefined;
  readonly webrtc: number | undefined;
}

/** What the routes of logins need beside that. */
export interface AccountControl extends Control {
  readonly admission: Admission;
  readonly authenticator: Authenticator;
  readonly logins: Logins;
  readonly feed: Feed;
}
