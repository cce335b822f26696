/** The ports whose connections workers serve. */
export type DoorName = 'http' | 'https' | 'rtmp' | 'rtmps';

/** What goes with a socket from the main process to a worker. */
export interface HandedSocket {
  readonly id: number;
  readonly door: DoorName;
  /** What has been read of it, base64: of HTTP, nobody has answered that; of RTMP, all of it is answered. */
  readonly head?: string | undefined;
}
