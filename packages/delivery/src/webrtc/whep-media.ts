import type { TrackConfig } from '@sluice/media';
import type { AnsweredMedia, Offer, OfferedCodec, OfferedMedia } from '@sluice/webrtc';
import type { RtpLeg } from './rtp-viewer.js';

/** What of an offer a stream can fill. */
export interface WhepMedia {
  /** In the order of the offer; undefined for what stays empty. */
  readonly answered: readonly (AnsweredMedia | undefined)[];
  readonly legs: readonly RtpLeg[];
}

const CNAME = 'sluice';
const SSRC_LIMIT = 0xffff_fffe;

/** Finds a place in the offer for each track. @param random a whole number below another one */
export function chooseMedia(
  offer: Offer,
  tracks: readonly TrackConfig[],
  random: (below: number) => number,
): WhepMedia {
  const left = new Set(tracks);
  const legs: RtpLeg[] = [];
  const answered = offer.media.map((offered): AnsweredMedia | undefined => {
    const track = [...left].find(({ kind }) => kind === offered.kind);
    const codec = track && codecFor(offered, track);
    if (track === undefined || codec === undefined || !takes(offered)) return undefined;
    left.delete(track);
    const source = { ssrc: 1 + random(SSRC_LIMIT), retransmissionSsrc: 1 + random(SSRC_LIMIT), cname: CNAME };
    const { payloadType, retransmission, clockRate } = codec;
    const { ssrc, retransmissionSsrc } = source;
    const { kind } = track;
    legs.push({ kind, payloadType, retransmissionType: retransmission, clockRate, ssrc, retransmissionSsrc });
    return { offered, direction: 'sendonly', codec, extensions: [], source };
  });
  return { answered, legs };
}

const takes = ({ direction, rtcpMux }: OfferedMedia): boolean =>
  rtcpMux && (direction === 'recvonly' || direction === 'sendrecv');

/** The codec of the stream's own profile, before any other of its kind. */
function codecFor({ codecs }: OfferedMedia, track: TrackConfig): OfferedCodec | undefined {
  // Other sound is turned into it.
  if (track.kind === 'audio') return codecs.find(({ name }) => name.toLowerCase() === 'opus');
  const fitting = codecs.filter(
    ({ name, parameters }) => name.toUpperCase() === 'H264' && parameters.get('packetization-mode') === '1',
  );
  const profile = track.codecString.slice('avc1.'.length, 'avc1.'.length + 2).toLowerCase();
  const own = fitting.find(({ parameters }) => parameters.get('profile-level-id')?.toLowerCase().startsWith(profile));
  return own ?? fitting[0];
}
