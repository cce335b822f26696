import type { VideoCodec } from '@sluice/media';
import { EXTENSION_URI } from '@sluice/rtp';
import {
  type AnsweredMedia,
  type Offer,
  type OfferedCodec,
  type OfferedMedia,
  transportSequenceIdOf,
} from '@sluice/webrtc';
import type { RtpLegTerms } from './rtp-leg.js';

/** What of an offer is taken. */
export interface WhipMedia {
  /** In the order of the offer; undefined for what is refused. */
  readonly answered: readonly (AnsweredMedia | undefined)[];
  readonly legs: readonly RtpLegTerms[];
}

/** As in FLV and MPEG-TS: even ones for pictures, odd ones for sound. */
const TRACK = { video: 0, audio: 1 } as const;
const VIDEO_CLOCK = 90_000;
const OPUS_CLOCK = 48_000;
/** Names as SDP has them, in upper case. */
const VIDEO_CODECS: ReadonlyMap<string, VideoCodec> = new Map([
  ['H264', 'h264'],
  ['H265', 'hevc'],
  ['VP8', 'vp8'],
  ['VP9', 'vp9'],
  ['AV1', 'av1'],
]);

/**
 * The first picture and the first sound of an offer. Of several codecs, H.264 is taken, which all viewers can be
 * given; where it isn't offered, the first that is understood.
 *
 * @param wanted the only codec of the picture that is good enough, as SRS's `vcodec` names it: `h264`, `hevc`, `av1`
 */
export function chooseMedia(offer: Offer, wanted?: string): WhipMedia {
  const legs: RtpLegTerms[] = [];
  const answered = offer.media.map((offered): AnsweredMedia | undefined => {
    if (!gives(offered) || legs.some(({ kind }) => kind === offered.kind)) return undefined;
    const possible = offered.codecs.flatMap((codec) => {
      const leg = legOf(offered.kind, codec);
      const isWanted = wanted === undefined || leg?.kind === 'audio' || leg?.codec === wanted.toLowerCase();
      return leg === undefined || !isWanted ? [] : [{ codec, leg }];
    });
    const chosen = possible.find(({ leg }) => leg.codec === 'h264') ?? possible[0];
    if (chosen === undefined) return undefined;
    const transportSequenceId = transportSequenceIdOf(offered, chosen.codec);
    legs.push({ ...chosen.leg, transportSequenceId });
    const extensions = transportSequenceId === undefined ? [] : [EXTENSION_URI.transportSequence];
    return { offered, direction: 'recvonly', codec: chosen.codec, extensions };
  });
  return { answered, legs };
}

const gives = ({ direction, rtcpMux }: OfferedMedia): boolean =>
  rtcpMux && (direction === 'sendonly' || direction === 'sendrecv');

/** @returns undefined for a codec, or a form of it, that isn't understood */
function legOf(kind: string, codec: OfferedCodec): RtpLegTerms | undefined {
  const { payloadType, retransmission: retransmissionType, clockRate } = codec;
  const terms = { payloadType, retransmissionType, clockRate };
  if (kind === 'audio') {
    const isOpus = codec.name.toLowerCase() === 'opus' && clockRate === OPUS_CLOCK;
    return isOpus ? { ...terms, kind, track: TRACK.audio, codec: 'opus' } : undefined;
  }
  const name = kind === 'video' && clockRate === VIDEO_CLOCK ? VIDEO_CODECS.get(codec.name.toUpperCase()) : undefined;
  if (name === undefined || !isInOrder(name, codec)) return undefined;
  return { ...terms, kind: 'video', track: TRACK.video, codec: name };
}

/** Whether units come in decoding order, and by one stream: RFC 6184 §6.2, §6.3; RFC 7798 §7.1. */
function isInOrder(codec: VideoCodec, { parameters }: OfferedCodec): boolean {
  if (codec === 'h264') return ['0', '1'].includes(parameters.get('packetization-mode') ?? '0');
  if (codec !== 'hevc') return true;
  const isOneStream = (parameters.get('tx-mode') ?? 'SRST').toUpperCase() === 'SRST';
  return isOneStream && Number(parameters.get('sprop-max-don-diff') ?? 0) === 0;
}
