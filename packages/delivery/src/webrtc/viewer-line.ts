import { BandwidthEstimate, FrameBudget, type RtcpPacket } from '@sluice/rtp';

type TransportFeedback = Extract<RtcpPacket, { readonly type: 'transport-feedback' }>;

/** Of a packet, beside its payload: header with extension, seal, UDP and IP. */
const OVERHEAD_BYTES = 20 + 16 + 8 + 20;
/** RFC 8285 §4.2: an element of two bytes, and one byte of padding. */
const EXTENSION_BYTES = 4;

/** A viewer's line, as its own feedback tells of it: numbers the packets that go out, and says what it has room for. */
export class ViewerLine {
  readonly #estimate = new BandwidthEstimate();
  readonly #budget = new FrameBudget();
  readonly #extension = Buffer.alloc(EXTENSION_BYTES);

  /** Whether a picture is to be sent. @param bytes of its payloads @param now ms of a clock that only goes forward */
  hasRoom(bytes: number, { keyframe, disposable }: { keyframe: boolean; disposable: boolean }, now: number): boolean {
    return this.#budget.accept({ bytes, keyframe, disposable }, this.#estimate.lineState(now), now);
  }

  /** Notes a packet that goes out. @returns its header extension, which is another packet's with the next call */
  number(id: number, payloadBytes: number, now: number): Buffer {
    const number = this.#estimate.sent(payloadBytes + OVERHEAD_BYTES, now);
    this.#extension.writeUInt8((id << 4) | 1, 0);
    this.#extension.writeUInt16BE(number, 1);
    return this.#extension;
  }

  feedback(feedback: TransportFeedback, now: number): void {
    this.#estimate.feedback(feedback, now);
  }

  /** By the names that browsers use; the estimate where there is one. */
  figures(): Record<string, number> {
    const { estimate } = this.#estimate;
    const limit = Number.isFinite(estimate) ? { availableOutgoingBitrate: Math.round(estimate) } : {};
    return { framesDropped: this.#budget.dropped, ...limit };
  }
}
