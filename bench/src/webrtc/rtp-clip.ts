import { FLV_VIDEO, type FlvTag, parseAvcC } from '@sluice/media';
import { packetiseH264, writeRtpHeader } from '@sluice/rtp';
import { isAccessUnit, isKeyframe } from '../sei-mark.js';
import { isHeader, roundMs } from '../source-clip.js';

/** An access unit, ready to be sent. */
export interface RtpPicture {
  /** Ms from the beginning of the clip. */
  readonly at: number;
  readonly keyframe: boolean;
  /** Whole RTP packets, numbered on from one picture to the next. */
  readonly packets: readonly Buffer[];
}

/** The picture of a clip, again and again, in the packets in which Sluice would send it. */
export class RtpClip {
  readonly #units: readonly { at: number; keyframe: boolean; payloads: ReturnType<typeof packetiseH264> }[];
  readonly #roundMs: number;
  #next = 0;
  #sequence = 0;

  /** @param payloadBytes of a packet at most */
  constructor(tags: readonly FlvTag[], payloadBytes: number) {
    const header = tags.find((tag) => isHeader(tag) && (tag.body[0] ?? 0) === AVC_KEYFRAME);
    if (header === undefined) throw new Error('the clip has no AVC sequence header');
    const { sps, pps } = parseAvcC(header.body.subarray(VIDEO_HEADER));
    this.#roundMs = roundMs(tags);
    this.#units = tags
      .filter(({ type, body }) => type === FLV_VIDEO && isAccessUnit(body))
      .map(({ timestamp, body }) => {
        const keyframe = isKeyframe(body[0] ?? 0);
        const sets = keyframe ? [...sps, ...pps] : [];
        return { at: timestamp, keyframe, payloads: packetiseH264(body.subarray(VIDEO_HEADER), payloadBytes, sets) };
      });
  }

  next(): RtpPicture {
    const round = Math.floor(this.#next / this.#units.length);
    const unit = this.#units[this.#next % this.#units.length];
    if (unit === undefined) throw new Error('the clip has no picture');
    this.#next += 1;
    const at = round * this.#roundMs + unit.at;
    const packets = unit.payloads.map(({ marker, pieces }) => {
      const packet = Buffer.alloc(RTP_HEADER_BYTES);
      const sequence = this.#sequence++ & 0xffff;
      writeRtpHeader(packet, { marker, payloadType: 96, sequence, timestamp: at * TICKS_PER_MS, ssrc: 1 });
      return Buffer.concat([packet, ...pieces]);
    });
    return { at, keyframe: unit.keyframe, packets };
  }
}

const VIDEO_HEADER = 5;
const AVC_KEYFRAME = 0x17;
const RTP_HEADER_BYTES = 12;
const TICKS_PER_MS = 90;
