import type { TrackConfig, VideoCodec } from '@sluice/media';
import { EXTENSION_URI } from '@sluice/rtp';
import {
  type AnsweredMedia,
  type Offer,
  type OfferedCodec,
  type OfferedMedia,
  transportSequenceIdOf,
} from '@sluice/webrtc';
import type { RtpLeg } from './rtp-viewer.js';

/** What of an offer a stream can fill. */
export interface WhepMedia {
  /** In the order of the offer; undefined for what stays empty. */
  readonly answered: readonly (AnsweredMedia | undefined)[];
  readonly legs: readonly RtpLeg[];
}

/** What a viewer is to be sent. */
export type WantedMedia =
  | { readonly kind: 'video'; readonly codec: VideoCodec; readonly codecString: string }
  /** Other sound is turned into it. */
  | { readonly kind: 'audio'; readonly codec: 'opus' };

type WantedPicture = Extract<WantedMedia, { readonly kind: 'video' }>;

/** What there is in most streams, for a viewer who comes before the encoder. */
const USUAL: readonly WantedMedia[] = [
  { kind: 'video', codec: 'h264', codecString: '' },
  { kind: 'audio', codec: 'opus' },
];

const CNAME = 'sluice';
const SSRC_LIMIT = 0xffff_fffe;

/** What to agree on for a stream: its tracks, and for what it hasn't (yet) what it is likely to have. */
export function wantedMedia(tracks: readonly TrackConfig[]): WantedMedia[] {
  const own = tracks.map((track): WantedMedia => (track.kind === 'video' ? track : { kind: 'audio', codec: 'opus' }));
  return [...own, ...USUAL.filter(({ kind }) => !own.some((wanted) => wanted.kind === kind))];
}

/** Finds a place in the offer for each of the media. @param random a whole number below another one */
export function chooseMedia(offer: Offer, media: readonly WantedMedia[], random: (below: number) => number): WhepMedia {
  const left = new Set(media);
  const legs: RtpLeg[] = [];
  const answered = offer.media.map((offered): AnsweredMedia | undefined => {
    const wanted = [...left].find(({ kind }) => kind === offered.kind);
    const agreed = wanted && codecFor(offered, wanted);
    if (wanted === undefined || agreed === undefined || !takes(offered)) return undefined;
    left.delete(wanted);
    const source = { ssrc: 1 + random(SSRC_LIMIT), retransmissionSsrc: 1 + random(SSRC_LIMIT), cname: CNAME };
    const { payloadType, retransmission, clockRate } = agreed;
    const { ssrc, retransmissionSsrc } = source;
    const { kind, codec } = wanted;
    const transportSequenceId = transportSequenceIdOf(offered, agreed);
    const extensions = transportSequenceId === undefined ? [] : [EXTENSION_URI.transportSequence];
    legs.push({
      kind,
      codec,
      payloadType,
      retransmissionType: retransmission,
      clockRate,
      ssrc,
      retransmissionSsrc,
      transportSequenceId,
    });
    return { offered, direction: 'sendonly', codec: agreed, extensions, source };
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

function codecFor({ codecs }: OfferedMedia, wanted: WantedMedia): OfferedCodec | undefined {
  if (wanted.kind === 'audio') return codecs.find(({ name }) => name.toLowerCase() === 'opus');
  const named = codecs.filter(({ name }) => name.toUpperCase() === VIDEO_NAMES[wanted.codec]);
  if (wanted.codec !== 'h264') return named.find((codec) => hasProfile(codec, wanted));
  const fitting = named.filter(({ parameters }) => parameters.get('packetization-mode') === '1');
  const profile = wanted.codecString.slice('avc1.'.length, 'avc1.'.length + 2).toLowerCase();
  const isOwn = ({ parameters }: OfferedCodec) =>
    profile !== '' && parameters.get('profile-level-id')?.toLowerCase().startsWith(profile);
  // Decoders of H.264 take other profiles than they say.
  return fitting.find(isOwn) ?? fitting[0];
}

/** Where profiles stand, and the one that is meant where none does: RFC 7798 §7.1, RFC 9628 §6, AV1 RTP §7.2.1. */
const PROFILES = {
  hevc: { parameter: 'profile-id', implied: 1 },
  vp9: { parameter: 'profile-id', implied: 0 },
  av1: { parameter: 'profile', implied: 0 },
} as const;

function hasProfile({ parameters }: OfferedCodec, { codec, codecString }: WantedPicture): boolean {
  if (codec === 'h264' || codec === 'vp8') return true;
  const { parameter, implied } = PROFILES[codec];
  // `vp09.02.10.10`, `av01.0.04M.08`, `hvc1.1.6.L93.B0`
  return Number(parameters.get(parameter) ?? implied) === Number(codecString.split('.')[1]);
}
