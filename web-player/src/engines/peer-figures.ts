/** What a peer connection tells of what comes in, over two looks at it. */
export interface PeerFigures {
  /** How long pictures wait for their turn, and half a round trip; undefined while it isn't known. */
  readonly latencySeconds: number | undefined;
  readonly bitsPerSecond: number | undefined;
  readonly roundTripSeconds: number | undefined;
  readonly packetsLost: number;
}

/** The part of a statistics report that is read, as the W3C's webrtc-stats names it. */
export interface PeerCounts {
  readonly at: number;
  readonly bytes: number;
  readonly lost: number;
  readonly roundTripSeconds: number | undefined;
  readonly jitterBufferSeconds: number;
  readonly jitterBufferCount: number;
}

/** Sums up a report. @param now milliseconds */
export function peerCounts(report: Iterable<unknown>, now: number): PeerCounts {
  let [bytes, lost, jitterBufferSeconds, jitterBufferCount] = [0, 0, 0, 0];
  let roundTripSeconds: number | undefined;
  for (const entry of report as Iterable<Record<string, unknown>>) {
    const number = (name: string) => (typeof entry[name] === 'number' ? entry[name] : 0);
    if (entry.type === 'inbound-rtp') {
      bytes += number('bytesReceived');
      lost += number('packetsLost');
      if (entry.kind !== 'video') continue;
      jitterBufferSeconds = number('jitterBufferDelay');
      jitterBufferCount = number('jitterBufferEmittedCount');
    } else if (entry.type === 'candidate-pair' && entry.nominated === true && 'currentRoundTripTime' in entry) {
      roundTripSeconds = number('currentRoundTripTime');
    }
  }
  return { at: now, bytes, lost, roundTripSeconds, jitterBufferSeconds, jitterBufferCount };
}

/** What happened between two looks. */
export function peerFigures(before: PeerCounts, now: PeerCounts): PeerFigures {
  const seconds = (now.at - before.at) / 1000;
  const shown = now.jitterBufferCount - before.jitterBufferCount;
  const waited = shown > 0 ? (now.jitterBufferSeconds - before.jitterBufferSeconds) / shown : undefined;
  return {
    latencySeconds: waited === undefined ? undefined : waited + (now.roundTripSeconds ?? 0) / 2,
    bitsPerSecond: seconds > 0 ? ((now.bytes - before.bytes) * 8) / seconds : undefined,
    roundTripSeconds: now.roundTripSeconds,
    packetsLost: now.lost,
  };
}
