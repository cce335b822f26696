import { malformed, RtpError } from '../errors.js';
import { type RtpPacket, readRtpHeader } from '../wire/rtp.js';
import { makeCipher } from './make-cipher.js';
import type { PacketCipher } from './packet-cipher.js';
import type { SrtpMasterKey } from './profile.js';
import { ReplayWindow } from './replay-window.js';

/** What a peer may make us keep. */
const MOST_SOURCES = 64;

/** Opens what a peer sends, RFC 3711 §3.3: authentic packets, each of them once. */
export class SrtpReceiver {
  readonly #cipher: PacketCipher;
  readonly #windows = new Map<number, ReplayWindow>();
  readonly #rtcpWindow = new ReplayWindow();

  constructor(master: SrtpMasterKey) {
    this.#cipher = makeCipher(master);
  }

  /** @throws {RtpError} `malformed` or `not-authentic` */
  open(datagram: Buffer): RtpPacket {
    const { hasPadding, ...header } = readRtpHeader(datagram);
    const known = this.#windows.get(header.ssrc);
    const window = known ?? new ReplayWindow();
    const index = indexOf(header.sequence, window.highest);
    if (!window.isNew(index)) throw notAuthentic('an RTP packet that was there before');
    const plain = this.#cipher.openRtp(datagram, header.headerBytes, index);
    if (plain === undefined) throw notAuthentic('an RTP packet that is not authentic');
    if (known === undefined) {
      if (this.#windows.size >= MOST_SOURCES) throw malformed(`more than ${MOST_SOURCES} sources`);
      this.#windows.set(header.ssrc, window);
    }
    window.add(index);
    const padding = hasPadding ? (plain[plain.length - 1] ?? 0) : 0;
    if (padding > plain.length) throw malformed(`an RTP packet padded by ${padding}`);
    return { ...header, payload: plain.subarray(0, plain.length - padding) };
  }

  /** @throws {RtpError} `not-authentic` */
  openRtcp(datagram: Buffer): Buffer {
    const opened = this.#cipher.openRtcp(datagram);
    if (opened === undefined || !this.#rtcpWindow.isNew(opened.index)) {
      throw notAuthentic('an RTCP packet that is not authentic, or was there before');
    }
    this.#rtcpWindow.add(opened.index);
    return opened.packet;
  }
}

/** RFC 3711 §3.3.1: the one that is nearest to the highest so far. */
function indexOf(sequence: number, highest: number): number {
  if (highest < 0) return sequence;
  const index = sequence + Math.round((highest - sequence) / 0x1_0000) * 0x1_0000;
  return index < 0 ? sequence : index;
}

const notAuthentic = (what: string) => new RtpError('not-authentic', what);
