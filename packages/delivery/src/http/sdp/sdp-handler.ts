import type { AccessRequest } from '@sluice/core';
import type { AnnouncedAddress, Peer } from '@sluice/webrtc';

/** Who answers the offers of WHIP or of WHEP. */
export interface SdpHandler {
  /**
   * Answers an offer.
   *
   * @param announce addresses that the client is told instead of the usual ones
   * @throws {WebRtcError} `malformed`, or `unsupported` where nothing of it is possible
   * @throws {Refusal}
   */
  offer(sdp: string, asked: AccessRequest, announce: readonly AnnouncedAddress[] | undefined): Promise<Peer>;
}

export type SdpHandlers = Readonly<Record<'publish' | 'play', SdpHandler>>;
