import { makeCipher } from './make-cipher.js';
import type { PacketCipher } from './packet-cipher.js';
import type { SrtpMasterKey } from './profile.js';

interface SourceState {
  lastSequence: number;
  rollOver: number;
}

/** Protects what one side sends, RFC 3711. Packets of a source go through it in the order of their numbers, or again. */
export class SrtpSender {
  readonly #cipher: PacketCipher;
  readonly #sources = new Map<number, SourceState>();
  #rtcpIndex = 0;

  constructor(master: SrtpMasterKey) {
    this.#cipher = makeCipher(master);
  }

  /**
   * @param header as it goes over the wire, extension and all
   * @param pieces the payload
   * @returns what follows the header
   */
  protect(header: Buffer, pieces: readonly Buffer[]): Buffer[] {
    return this.#cipher.sealRtp(header, pieces, this.#indexOf(header.readUInt32BE(8), header.readUInt16BE(2)));
  }

  /** @returns the whole packet */
  protectRtcp(packet: Buffer): Buffer {
    this.#rtcpIndex = (this.#rtcpIndex + 1) & 0x7fff_ffff;
    return this.#cipher.sealRtcp(packet, this.#rtcpIndex);
  }

  #indexOf(ssrc: number, sequence: number): number {
    let source = this.#sources.get(ssrc);
    if (source === undefined) {
      source = { lastSequence: sequence, rollOver: 0 };
      this.#sources.set(ssrc, source);
    }
    const ahead = ((sequence - source.lastSequence + 0x8000) & 0xffff) - 0x8000;
    // One that is sent again may be from before the wrap.
    if (ahead < 0) return (source.rollOver - (sequence > source.lastSequence ? 1 : 0)) * 0x1_0000 + sequence;
    if (sequence < source.lastSequence) source.rollOver += 1;
    source.lastSequence = sequence;
    return source.rollOver * 0x1_0000 + sequence;
  }
}
