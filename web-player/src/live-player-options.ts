import type { EngineFailure } from './engines/engine.js';
import type { FailedProtocols } from './failed-protocols.js';
import type { BrowserAbilities, PlayerProtocol } from './protocol.js';
import type { ServerClock } from './server-clock.js';
import type { StatusClient } from './status-client.js';

export interface LivePlayerListener {
  /** The state, or what there is to say of it. */
  changed(): void;
  /** What can be chosen: qualities, tracks. */
  choicesChanged(): void;
  failed(failure: EngineFailure & { readonly protocol: PlayerProtocol | undefined }): void;
  /** The browser plays it without sound only. */
  silenced(): void;
}

export interface LivePlayerOptions {
  readonly path: string;
  /** Origin of the server. */
  readonly server: string;
  /** For the server, with the credential of just now. */
  readonly query: () => string;
  readonly video: HTMLVideoElement;
  /** The last picture, while the video element has none. */
  readonly lastFrame: HTMLCanvasElement;
  readonly browser: BrowserAbilities;
  readonly client: StatusClient;
  readonly clock: ServerClock;
  readonly failed: FailedProtocols;
  /** Undefined: whichever works. */
  readonly protocol: PlayerProtocol | undefined;
  /** Whether to begin without being asked to. */
  readonly autoplay: boolean;
  readonly listener: LivePlayerListener;
}
