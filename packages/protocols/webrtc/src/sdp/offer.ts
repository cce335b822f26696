import { EXTENSION_URI } from '@sluice/rtp';
import { parse, type SessionDescription } from 'sdp-transform';
import { malformed, WebRtcError } from '../errors.js';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** A codec as an offer names it. */
export interface OfferedCodec {
  readonly payloadType: number;
  /** As SDP writes it: `H264`, `opus`. */
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
  /** `profile-level-id` → `42e01f` */
  readonly parameters: ReadonlyMap<string, string>;
  /** `nack`, `nack pli`, `transport-cc` */
  readonly feedback: readonly string[];
  /** Where its retransmissions go, RFC 4588. */
  readonly retransmission: number | undefined;
}

export interface OfferedMedia {
  readonly kind: string;
  readonly mid: string;
  readonly direction: Direction;
  /** The one that the peer prefers first. */
  readonly codecs: readonly OfferedCodec[];
  /** Header extensions: URI → id. */
  readonly extensions: ReadonlyMap<string, number>;
  /** Whether its peer takes RTCP on the same port. */
  readonly rtcpMux: boolean;
}

/** What a peer offers, as far as a server must know it. */
export interface Offer {
  readonly ufrag: string;
  readonly password: string;
  readonly fingerprint: { readonly algorithm: string; readonly value: string };
  /** RFC 4145 §4: who begins. */
  readonly setup: 'active' | 'passive' | 'actpass';
  readonly media: readonly OfferedMedia[];
}

/** RFC 9725 leaves it open; those of browsers have some 10 KiB. */
export const MOST_SDP_BYTES = 128 * 1024;
const MOST_MEDIA = 32;
const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

type ParsedMedia = SessionDescription['media'][number];

/**
 * Reads an offer of media that is bundled, RFC 8829.
 *
 * @throws {WebRtcError} `malformed` or `unsupported`, with what is wrong about it
 */
export function readOffer(text: string): Offer {
  if (Buffer.byteLength(text) > MOST_SDP_BYTES) throw malformed(`an SDP of more than ${MOST_SDP_BYTES} bytes`);
  if (!text.startsWith('v=0')) throw malformed('an SDP begins with v=0');
  const session = parseOrThrow(text);
  const media = session.media.filter(({ port, bundleOnly }) => port !== 0 || bundleOnly !== undefined);
  if (media.length === 0) throw malformed('the SDP offers no media');
  if (session.media.length > MOST_MEDIA) throw malformed(`an SDP with more than ${MOST_MEDIA} media`);
  const [first] = media;
  const ufrag = first?.iceUfrag ?? session.iceUfrag;
  const password = first?.icePwd ?? session.icePwd;
  const fingerprint = first?.fingerprint ?? session.fingerprint;
  const setup = first?.setup ?? session.setup ?? 'actpass';
  if (ufrag === undefined || password === undefined) throw malformed('the SDP has no ice-ufrag or no ice-pwd');
  if (fingerprint === undefined) throw malformed('the SDP has no fingerprint');
  if (setup !== 'active' && setup !== 'passive' && setup !== 'actpass') throw malformed(`setup:${setup}`);
  const bundled = new Set(
    (session.groups ?? []).flatMap(({ type, mids }) => (type === 'BUNDLE' ? textOf(mids).split(' ') : [])),
  );
  if (media.length > 1 && media.some(({ mid }) => !bundled.has(textOf(mid)))) {
    throw new WebRtcError('unsupported', 'the media of the SDP is not bundled (a=group:BUNDLE)');
  }
  return {
    ufrag: textOf(ufrag),
    password: textOf(password),
    fingerprint: { algorithm: textOf(fingerprint.type), value: textOf(fingerprint.hash) },
    setup,
    media: session.media.map(readMedia),
  };
}

/**
 * The id of the header extension that carries transport-wide numbers,
 * draft-holmer-rmcat-transport-wide-cc-extensions-01 §2 and §4.
 *
 * @returns undefined where the peer doesn't offer both it and the feedback (`transport-cc`) that belongs to it
 */
export function transportSequenceIdOf({ extensions }: OfferedMedia, { feedback }: OfferedCodec): number | undefined {
  return feedback.includes('transport-cc') ? extensions.get(EXTENSION_URI.transportSequence) : undefined;
}

function parseOrThrow(text: string): SessionDescription {
  try {
    return parse(text);
  } catch {
    throw malformed('the SDP can not be read');
  }
}

// The parser makes numbers of whatever looks like one, whatever its types say: nothing is taken as it is.
const textOf = (value: unknown): string => (value === undefined || value === null ? '' : String(value));
const isPayloadType = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 128;

function readMedia(media: ParsedMedia, at: number): OfferedMedia {
  const extensions = (media.ext ?? []).map(({ uri, value }) => [textOf(uri), Number(value)] as const);
  return {
    kind: textOf(media.type),
    mid: textOf(media.mid ?? at),
    direction: DIRECTIONS.find((direction) => direction === media.direction) ?? 'sendrecv',
    codecs: codecsOf(media),
    extensions: new Map(extensions.filter(([, id]) => Number.isInteger(id) && id > 0 && id < 15)),
    rtcpMux: media.rtcpMux !== undefined,
  };
}

function codecsOf({ rtp, fmtp, rtcpFb, payloads }: ParsedMedia): OfferedCodec[] {
  const places = new Map(
    textOf(payloads)
      .split(' ')
      .map((payloadType, at) => [Number(payloadType), at]),
  );
  const placeOf = ({ payload }: { readonly payload: number }) => places.get(payload) ?? places.size;
  const parameters = new Map(fmtp.map(({ payload, config }) => [payload, parametersOf(textOf(config))]));
  const known = rtp.filter(({ payload }) => isPayloadType(payload));
  const isRetransmission = (codec: unknown) => textOf(codec).toLowerCase() === 'rtx';
  const retransmissions = new Map(
    known.flatMap(({ payload, codec }) => {
      const original = isRetransmission(codec) ? parameters.get(payload)?.get('apt') : undefined;
      return original === undefined ? [] : [[Number(original), payload] as const];
    }),
  );
  // The m= line has the order of preference, RFC 3264 §5.1; the lines below it may stand in any.
  return [...known]
    .sort((a, b) => placeOf(a) - placeOf(b))
    .filter(({ codec }) => !isRetransmission(codec))
    .map(({ payload, codec, rate, encoding }) => ({
      payloadType: payload,
      name: textOf(codec),
      clockRate: Number(rate) || 0,
      channels: Number(encoding) || 1,
      parameters: parameters.get(payload) ?? new Map<string, string>(),
      feedback: (rtcpFb ?? [])
        .filter((feedback) => feedback.payload === payload || textOf(feedback.payload) === '*')
        .map(({ type, subtype }) => `${textOf(type)} ${textOf(subtype)}`.trim()),
      retransmission: retransmissions.get(payload),
    }));
}

function parametersOf(config: string): Map<string, string> {
  const pairs = config.split(';').map((pair) => pair.trim().split('='));
  return new Map(pairs.map(([key = '', ...value]) => [key.toLowerCase(), value.join('=')]));
}
