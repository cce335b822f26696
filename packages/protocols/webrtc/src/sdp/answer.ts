import { EXTENSION_URI } from '@sluice/rtp';
import type { IceCredentials } from '../session/ice-lite.js';
import { candidateLine, type HostCandidate } from './candidate.js';
import type { Direction, Offer, OfferedCodec, OfferedMedia } from './offer.js';

/** What becomes of one of the media that are offered. */
export interface AnsweredMedia {
  readonly offered: OfferedMedia;
  readonly direction: Direction;
  readonly codec: OfferedCodec;
  /** URIs of the header extensions that are used. */
  readonly extensions: readonly string[];
  /** Of what the server sends; undefined where it only receives. */
  readonly source?: { readonly ssrc: number; readonly retransmissionSsrc: number; readonly cname: string } | undefined;
}

export interface AnswerOptions {
  readonly offer: Offer;
  /** In the order of the offer; undefined for what is refused. */
  readonly media: readonly (AnsweredMedia | undefined)[];
  readonly ice: IceCredentials;
  /** SHA-256, `AB:CD:…` */
  readonly fingerprint: string;
  readonly setup: 'active' | 'passive';
  readonly candidates: readonly HostCandidate[];
  /** Numbers the description. */
  readonly sessionId: number;
}

/** Feedback that is understood here. */
const FEEDBACK: readonly string[] = ['nack', 'nack pli', 'ccm fir'];

/** Writes the answer of a lite agent, RFC 8829 §5.3.1: everything bundled, RTP and RTCP on one port. */
export function writeAnswer(options: AnswerOptions): string {
  const { offer, media, sessionId } = options;
  const accepted = media.flatMap((answered) => (answered === undefined ? [] : [answered.offered.mid]));
  const lines = [
    'v=0',
    `o=- ${sessionId} 1 IN IP4 0.0.0.0`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${accepted.join(' ')}`,
    'a=ice-lite',
    'a=msid-semantic: WMS *',
    ...offer.media.flatMap((offered, at) => mediaLines(offered, media[at], options)),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function mediaLines(offered: OfferedMedia, answered: AnsweredMedia | undefined, options: AnswerOptions): string[] {
  const { ice, fingerprint, setup, candidates } = options;
  if (answered === undefined) {
    const payloadType = offered.codecs[0]?.payloadType ?? 0;
    return [
      `m=${offered.kind} 0 UDP/TLS/RTP/SAVPF ${payloadType}`,
      'c=IN IP4 0.0.0.0',
      'a=inactive',
      `a=mid:${offered.mid}`,
    ];
  }
  const { codec, direction, extensions, source } = answered;
  const { payloadType, retransmission } = codec;
  const payloadTypes = retransmission === undefined ? [payloadType] : [payloadType, retransmission];
  const channels = codec.channels > 1 ? `/${codec.channels}` : '';
  return [
    `m=${offered.kind} 9 UDP/TLS/RTP/SAVPF ${payloadTypes.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${offered.mid}`,
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.password}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=setup:${setup}`,
    ...extensions.flatMap((uri) => {
      const id = offered.extensions.get(uri);
      return id === undefined ? [] : [`a=extmap:${id} ${uri}`];
    }),
    `a=rtpmap:${payloadType} ${codec.name}/${codec.clockRate}${channels}`,
    ...feedbackOf(answered).map((name) => `a=rtcp-fb:${payloadType} ${name}`),
    ...(codec.parameters.size === 0 ? [] : [`a=fmtp:${payloadType} ${parametersText(codec)}`]),
    ...(retransmission === undefined
      ? []
      : [`a=rtpmap:${retransmission} rtx/${codec.clockRate}`, `a=fmtp:${retransmission} apt=${payloadType}`]),
    ...(source === undefined ? [] : sourceLines(source, offered, retransmission !== undefined)),
    ...candidates.map(candidateLine),
    'a=end-of-candidates',
  ];
}

/** One of both controls congestion: arrival times, which need numbers in the packets, or a bitrate. */
function feedbackOf({ codec, extensions }: AnsweredMedia): string[] {
  const control = extensions.includes(EXTENSION_URI.transportSequence) ? 'transport-cc' : 'goog-remb';
  return codec.feedback.filter((name) => FEEDBACK.includes(name) || name === control);
}

function sourceLines(
  { ssrc, retransmissionSsrc, cname }: NonNullable<AnsweredMedia['source']>,
  { kind }: OfferedMedia,
  hasRetransmission: boolean,
): string[] {
  const group = hasRetransmission ? [`a=ssrc-group:FID ${ssrc} ${retransmissionSsrc}`] : [];
  const retransmission = hasRetransmission ? [`a=ssrc:${retransmissionSsrc} cname:${cname}`] : [];
  return [`a=msid:${cname} ${kind}`, ...group, `a=ssrc:${ssrc} cname:${cname}`, ...retransmission];
}

function parametersText({ parameters }: OfferedCodec): string {
  return [...parameters].map(([key, value]) => (value === '' ? key : `${key}=${value}`)).join(';');
}
