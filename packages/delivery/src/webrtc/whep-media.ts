import type { Codec, TrackConfig } from '@sluice/media';
import { EXTENSION_URI } from '@sluice/rtp';
import {
  type AnsweredMedia,
  type Offer,
  type OfferedCodec,
  type OfferedMedia,
  transportSequenceIdOf,
} from '@sluice/webrtc';
import { rtpCodecOf } from './rtp-output.js';
import type { RtpLeg } from './rtp-viewer.js';

/** What of an offer a stream can fill. */
export interface WhepMedia {
  /** In the order of the offer; undefined for what stays empty. */
  readonly answered: readonly (AnsweredMedia | undefined)[];
  readonly legs: readonly RtpLeg[];
}

/** What a viewer is to be sent. */
export interface WantedMedia {
  readonly kind: 'video' | 'audio';
  readonly codec: Codec;
  /** As `profile-level-id` begins with, where one fits better than another. */
  readonly profile?: string | undefined;
}

/** What there is in most streams, for a viewer who comes before the encoder. */
const USUAL: readonly WantedMedia[] = [
  { kind: 'video', codec: 'h264' },
  { kind: 'audio', codec: 'opus' },
];

const CNAME = 'sluice';
const SSRC_LIMIT = 0xffff_fffe;

/** What to agree on for a stream: its tracks, and for what it hasn't (yet) what it is likely to have. */
export function wantedMedia(tracks: readonly TrackConfig[]): WantedMedia[] {
  const own = tracks.map((track): WantedMedia => {
    const profile = track.codec === 'h264' ? track.codecString.slice('avc1.'.length, 'avc1.'.length + 2) : undefined;
    return { kind: track.kind, codec: rtpCodecOf(track), profile: profile?.toLowerCase() };
  });
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

/** The codec of the stream's own profile, before any other of its kind. */
function codecFor({ codecs }: OfferedMedia, { kind, profile }: WantedMedia): OfferedCodec | undefined {
  if (kind === 'audio') return codecs.find(({ name }) => name.toLowerCase() === 'opus');
  const fitting = codecs.filter(
    ({ name, parameters }) => name.toUpperCase() === 'H264' && parameters.get('packetization-mode') === '1',
  );
  const isOwn = ({ parameters }: OfferedCodec) =>
    profile !== undefined && parameters.get('profile-level-id')?.toLowerCase().startsWith(profile);
  return fitting.find(isOwn) ?? fitting[0];
}
