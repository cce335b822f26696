import type { TrackConfig, VideoCodec, VideoTrackConfig } from '@sluice/media';
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

/** Names as SDP has them, in upper case. */
const VIDEO_NAMES: Readonly<Record<VideoCodec, string>> = {
  h264: 'H264',
  hevc: 'H265',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
};

function codecFor({ codecs }: OfferedMedia, track: TrackConfig): OfferedCodec | undefined {
  // Other sound is turned into it.
  if (track.kind === 'audio') return codecs.find(({ name }) => name.toLowerCase() === 'opus');
  const named = codecs.filter(({ name }) => name.toUpperCase() === VIDEO_NAMES[track.codec]);
  if (track.codec !== 'h264') return named.find((codec) => hasProfile(codec, track));
  const fitting = named.filter(({ parameters }) => parameters.get('packetization-mode') === '1');
  const profile = track.codecString.slice('avc1.'.length, 'avc1.'.length + 2).toLowerCase();
  const own = fitting.find(({ parameters }) => parameters.get('profile-level-id')?.toLowerCase().startsWith(profile));
  // Decoders of H.264 take other profiles than they say.
  return own ?? fitting[0];
}

/** Where profiles stand, and the one that is meant where none does: RFC 7798 §7.1, RFC 9628 §6, AV1 RTP §7.2.1. */
const PROFILES = {
  hevc: { parameter: 'profile-id', implied: 1 },
  vp9: { parameter: 'profile-id', implied: 0 },
  av1: { parameter: 'profile', implied: 0 },
} as const;

function hasProfile({ parameters }: OfferedCodec, { codec, codecString }: VideoTrackConfig): boolean {
  if (codec === 'h264' || codec === 'vp8') return true;
  const { parameter, implied } = PROFILES[codec];
  // `vp09.02.10.10`, `av01.0.04M.08`, `hvc1.1.6.L93.B0`
  return Number(parameters.get(parameter) ?? implied) === Number(codecString.split('.')[1]);
}
