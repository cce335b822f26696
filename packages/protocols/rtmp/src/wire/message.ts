/** Message types, RTMP §5.4, §6, §7.1. */
export const MESSAGE_TYPE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAcknowledgementSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  commandAmf3: 17,
  dataAmf0: 18,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** A message, put together from its chunks. */
export interface RtmpMessage {
  readonly type: number;
  readonly messageStreamId: number;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  readonly payload: Buffer;
}

/** A message of audio, video or data, as publishers send it and players get it. */
export interface RtmpMediaMessage {
  readonly type: 8 | 9 | 18;
  /** Milliseconds modulo 2^32. */
  readonly timestamp: number;
  readonly payload: Buffer;
}
