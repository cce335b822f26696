/** What peers may take before anybody knows who they are. */
export interface RtmpLimits {
  /** From the first byte until a publish or play is asked for, and between two of them. */
  readonly handshakeMs: number;
  /** Of audio and video messages. */
  readonly maxMessageBytes: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  /** A publisher that sends nothing for so long is taken for dead. */
  readonly publisherIdleMs: number;
}

export const DEFAULT_RTMP_LIMITS: RtmpLimits = {
  handshakeMs: 10_000,
  maxMessageBytes: 16 * 1024 * 1024,
  maxConnections: 20_000,
  maxConnectionsPerIp: 10_000,
  publisherIdleMs: 30_000,
};

/** Answers that a client may leave unread; after that it is a client that only wants to fill our memory. */
export const MAX_UNREAD_ANSWERS = 1024 * 1024;
/** How long a connection that was ended politely may take to go. */
export const LINGER_MS = 2000;
/** After so long without a sign of life the kernel asks whether the peer is still there. */
export const KEEP_ALIVE_MS = 60_000;
