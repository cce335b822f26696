import type { LatencyBasis } from '../engines/engine.js';
import type { Message } from '../messages.js';
import type { PlayerState } from '../playback-state.js';
import type { PlayerProtocol } from '../protocol.js';
import type { StreamStatus } from '../status-client.js';

/** How the player stands, in figures. */
export interface PlayerStatistics {
  readonly state: PlayerState;
  /** The one at work, or the one last tried. */
  readonly protocol: PlayerProtocol | undefined;
  readonly videoWidth: number;
  readonly videoHeight: number;
  /** Media time, in seconds. */
  readonly currentTime: number;
  /** How far behind the picture is, in seconds; undefined while it isn't known. */
  readonly latencySeconds: number | undefined;
  /** What that is counted from. */
  readonly latencyBasis: LatencyBasis | undefined;
  readonly bufferedSeconds: number | undefined;
  /** Whether the viewer has gone back in time. */
  readonly shifted: boolean;
  /** What can be sought, in media time. */
  readonly seekRange: { readonly start: number; readonly end: number } | undefined;
  /** When the picture was live, ms since 1970; undefined where the stream doesn't tell. */
  readonly playingDate: number | undefined;
  /** Of all sources since the player was made. */
  readonly framesDecoded: number;
  /** Of the present source. */
  readonly framesDropped: number;
  readonly playbackRate: number;
  readonly bitsPerSecond: number | undefined;
  readonly roundTripSeconds: number | undefined;
  readonly packetsLost: number | undefined;
  /** How often the picture stood still because nothing came. */
  readonly stalls: number;
  readonly errors: number;
  readonly lastError: string;
  /** What the server tells of the stream. */
  readonly stream: StreamStatus | undefined;
}

/** What the player's events carry as their `detail`. */
export interface SluicePlayerEvents {
  /** It does something else now, or has something else to say of it. */
  readonly statechange: CustomEvent<{ readonly state: PlayerState; readonly message: Message | undefined }>;
  /** It goes on over another protocol. */
  readonly protocolchange: CustomEvent<{ readonly protocol: PlayerProtocol }>;
  /** The viewer has chosen one in the settings, or `auto`. */
  readonly protocolchoice: CustomEvent<{ readonly protocol: PlayerProtocol | 'auto' }>;
  /** Something broke. The player goes on by itself; this is for those who count. */
  readonly failure: CustomEvent<{
    readonly reason: string;
    readonly protocol: PlayerProtocol | undefined;
    /** Where the server refused, with what. */
    readonly httpStatus: number | undefined;
  }>;
}

/** `<sluice-player>`, as pages see it. */
export interface SluicePlayer extends HTMLElement {
  /** Address of the stream: `https://host:8088/live/show`. Its query goes to the server, and is never read back. */
  src: string;
  /** A credential: goes to the server as `token=`, and is never read back. Give it anew before it is too old. */
  token: string | undefined;
  /** `auto`, or the only one to take. */
  protocol: PlayerProtocol | 'auto';
  autoplay: boolean;
  controls: boolean;
  poster: string;
  muted: boolean;
  /** 0 to 1 */
  volume: number;
  readonly paused: boolean;
  readonly state: PlayerState;
  /** What is told over the picture. */
  readonly message: Message | undefined;
  /** The protocol at work. */
  readonly activeProtocol: PlayerProtocol | undefined;
  readonly statistics: PlayerStatistics | undefined;
  play(): void;
  pause(): void;
  toLiveEdge(): void;
  /** @param seconds backwards where they are negative; as far as the stream can be gone back in */
  seekBy(seconds: number): void;
  addEventListener<K extends keyof SluicePlayerEvents>(
    type: K,
    listener: (event: SluicePlayerEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'sluice-player': SluicePlayer;
  }
}
