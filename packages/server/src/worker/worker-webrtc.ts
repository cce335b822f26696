import {
  type Clock,
  type Doorkeeper,
  findFfmpeg,
  type LiveConfig,
  type Logger,
  messageOf,
  Refusal,
  type StreamRouter,
} from '@sluice/core';
import type { SdpExchange } from '@sluice/delivery';
import { makeSdpExchange } from '../sdp-door.js';
import { WebRtcDoor } from '../webrtc-door.js';

export interface WorkerWebRtcOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly log: Logger;
}

/** A worker's own WebRTC port, for viewers; encoders are the main process's. */
export class WorkerWebRtc {
  readonly exchange: SdpExchange;
  readonly #door: WebRtcDoor;
  readonly #log: Logger;
  #isOpen = false;

  constructor(options: WorkerWebRtcOptions) {
    const { live, log } = options;
    this.#log = log;
    this.#door = new WebRtcDoor(live, log);
    const file = findFfmpeg(process.env);
    this.exchange = makeSdpExchange({
      ...options,
      server: this.#door.server,
      publish: { offer: () => Promise.reject(new Refusal('unavailable', 'encoders are served by the main process')) },
      ffmpeg: file === undefined ? undefined : { file },
    });
  }

  /** Whether it can be reached; the main process speaks WebRTC in its place where it can't. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether a session of that id is here. */
  has(id: string): boolean {
    return this.#door.server.peer(id) !== undefined;
  }

  /** Never rejects: without a port, the main process has all of its viewers. */
  async listen(port: number, host: string): Promise<void> {
    try {
      await this.#door.listen(port, host);
      this.#isOpen = true;
    } catch (error) {
      const fix = 'free that port, or set webrtc.port so that there is one behind it for each worker';
      this.#log.error({ port, host, detail: messageOf(error), fix }, 'a worker cannot speak WebRTC');
    }
  }

  async close(reason: string): Promise<void> {
    if (this.#isOpen) await this.#door.close(reason);
  }
}
