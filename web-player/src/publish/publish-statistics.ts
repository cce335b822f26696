/** What the browser tells of a publication. */
export interface PublishFigures {
  /** Bits per second that go out, headers not counted; undefined until a second look. */
  readonly bitrate: number | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly framesPerSecond: number | undefined;
  /** ms */
  readonly roundTripMs: number | undefined;
  /** Packets sent since the session began. */
  readonly packetsSent: number;
  /** Of those that the server missed, in the end. */
  readonly packetsLost: number;
  readonly packetsRetransmitted: number;
  /** What keeps the picture from being better, in the browser's words. */
  readonly limitation: 'none' | 'cpu' | 'bandwidth' | 'other';
}

/** The fields of WebRTC statistics that are read here; which of them there are depends on the browser. */
export interface StatisticsEntry {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly kind?: string;
  readonly bytesSent?: number;
  readonly packetsSent?: number;
  readonly retransmittedPacketsSent?: number;
  readonly framesPerSecond?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  readonly qualityLimitationReason?: string;
  readonly packetsLost?: number;
  readonly roundTripTime?: number;
  readonly state?: string;
  readonly nominated?: boolean;
  readonly currentRoundTripTime?: number;
}

const LIMITATIONS = ['none', 'cpu', 'bandwidth', 'other'] as const;

/** Makes figures of one look at the statistics after another: rates are between two looks. */
export class PublishStatistics {
  /** Of each source that is sent: when it was looked at, and what it had sent. */
  #before = new Map<string, { readonly at: number; readonly bytes: number }>();

  look(entries: readonly StatisticsEntry[]): PublishFigures {
    const sent = entries.filter(({ type }) => type === 'outbound-rtp');
    const heard = entries.filter(({ type }) => type === 'remote-inbound-rtp');
    const pair = entries.find(
      (entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded',
    );
    const video = sent.find(({ kind }) => kind === 'video');
    const roundTrip =
      pair?.currentRoundTripTime ?? heard.find(({ roundTripTime }) => roundTripTime !== undefined)?.roundTripTime;
    return {
      bitrate: this.#bitrate(sent),
      width: video?.frameWidth,
      height: video?.frameHeight,
      framesPerSecond: video?.framesPerSecond,
      roundTripMs: roundTrip === undefined ? undefined : Math.round(roundTrip * 1000),
      packetsSent: sum(sent, ({ packetsSent }) => packetsSent),
      // Repetitions that came twice count against it.
      packetsLost: sum(heard, ({ packetsLost = 0 }) => Math.max(0, packetsLost)),
      packetsRetransmitted: sum(sent, ({ retransmittedPacketsSent }) => retransmittedPacketsSent),
      limitation: LIMITATIONS.find((name) => name === video?.qualityLimitationReason) ?? 'none',
    };
  }

  #bitrate(sent: readonly StatisticsEntry[]): number | undefined {
    const before = this.#before;
    this.#before = new Map(sent.map(({ id, timestamp, bytesSent = 0 }) => [id, { at: timestamp, bytes: bytesSent }]));
    const rates = sent.flatMap(({ id, timestamp, bytesSent = 0 }) => {
      const last = before.get(id);
      if (last === undefined || timestamp <= last.at || bytesSent < last.bytes) return [];
      return [((bytesSent - last.bytes) * 8000) / (timestamp - last.at)];
    });
    return rates.length === 0 ? undefined : rates.reduce((total, rate) => total + rate);
  }
}

function sum(entries: readonly StatisticsEntry[], of: (entry: StatisticsEntry) => number | undefined): number {
  return entries.reduce((total, entry) => total + (of(entry) ?? 0), 0);
}
