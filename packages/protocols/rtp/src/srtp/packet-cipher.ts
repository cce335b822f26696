/** Encrypts and authenticates single packets of one direction. Which index they have, its user knows. */
export interface PacketCipher {
  /**
   * @param header of the packet; the sequence number in it is the index's low 16 bits
   * @param pieces the payload
   * @param index roll-over counter and sequence number
   * @returns what follows the header on the wire
   */
  sealRtp(header: Buffer, pieces: readonly Buffer[], index: number): Buffer[];
  /** @returns the payload; undefined where the packet is not authentic */
  openRtp(datagram: Buffer, headerBytes: number, index: number): Buffer | undefined;
  /** @returns the whole packet */
  sealRtcp(packet: Buffer, index: number): Buffer;
  /** @returns the packet as it was; undefined where it is not authentic */
  openRtcp(datagram: Buffer): { readonly packet: Buffer; readonly index: number } | undefined;
}

/** The highest bit of an SRTCP index says that the packet is encrypted, RFC 3711 §3.4. */
export const ENCRYPTED = 0x8000_0000;
/** The fixed part of an RTCP packet, which stays readable. */
export const RTCP_HEADER_BYTES = 8;
