import type { AmfObject, AmfValue } from '@sluice/media';

/** What a client said of itself in `connect`. Nothing of it is trusted. */
export interface ConnectInfo {
  /** Percent-decoded, without its query and without slashes at the ends. */
  readonly app: string;
  /** Of the app, as in `live?key=…`; of tcUrl where the app has none. */
  readonly query: string;
  readonly tcUrl: string;
  readonly flashVer?: string;
  readonly pageUrl?: string;
  readonly swfUrl?: string;
  readonly objectEncoding: 0 | 3;
  /** Whether it speaks Enhanced RTMP, and so is told what we can. */
  readonly enhanced: boolean;
  /** Whether it understands a request to connect anew. */
  readonly reconnects: boolean;
}

/** Longest app, stream name or tcUrl, signed tokens in the query included. */
export const MAX_NAME_LENGTH = 4096;
/** Longest of the texts that are for information only, and are cut. */
const MAX_TEXT_LENGTH = 1024;
/** rtmp, rtmps, rtmpt, rtmpe, rtmpte … */
const RTMP_URL = /^rtmp[a-z]{0,3}:\/\/[^/]/i;

/** @returns what the client said, or why it can't be taken */
export function readConnectInfo(object: AmfObject): ConnectInfo | { readonly refused: string } {
  const { app: appText, tcUrl = '' } = object;
  if (typeof appText !== 'string') return { refused: 'connect names no app' };
  if (appText.length > MAX_NAME_LENGTH) {
    return { refused: `the app's name has ${appText.length} characters; ${MAX_NAME_LENGTH} are allowed` };
  }
  if (typeof tcUrl !== 'string') return { refused: 'tcUrl is no text' };
  if (tcUrl.length > MAX_NAME_LENGTH) {
    return { refused: `tcUrl has ${tcUrl.length} characters; ${MAX_NAME_LENGTH} are allowed` };
  }
  if (tcUrl !== '' && !RTMP_URL.test(tcUrl)) return { refused: 'tcUrl is no RTMP URL' };
  const [path, appQuery] = splitQuery(appText);
  const app = percentDecoded(path.replace(/^\/+|\/+$/g, ''));
  if (app === '') return { refused: 'the app is empty; the URL is rtmp://host/app/stream' };
  return {
    app,
    query: appQuery === '' ? splitQuery(tcUrl)[1] : appQuery,
    tcUrl,
    ...shortText('flashVer', object.flashVer),
    ...shortText('pageUrl', object.pageUrl),
    ...shortText('swfUrl', object.swfUrl),
    objectEncoding: object.objectEncoding === 3 ? 3 : 0,
    enhanced: ENHANCED_PROPERTIES.some((key) => key in object),
    reconnects: typeof object.capsEx === 'number' && (object.capsEx & CAPS_EX.reconnect) !== 0,
  };
}

/** A stream's name and the whole query, of app and stream together. */
export interface StreamName {
  readonly stream: string;
  readonly query: string;
}

/**
 * Takes apart the name in `publish` and `play`. `stream?k=v`, with the app's query before it; and where an encoder
 * put everything into the app (`live?k=v/stream`), the stream is what follows the query's last slash.
 *
 * @returns the name, or why it can't be taken
 */
export function readStreamName(name: AmfValue, appQuery: string): StreamName | { readonly refused: string } {
  if (typeof name !== 'string') return { refused: 'the stream has no name' };
  if (name.length > MAX_NAME_LENGTH) {
    return { refused: `the stream's name has ${name.length} characters; ${MAX_NAME_LENGTH} are allowed` };
  }
  const [path, query] = splitQuery(name);
  const stream = percentDecoded(path.replace(/^\/+|\/+$/g, ''));
  if (stream !== '') return { stream, query: [appQuery, query].filter((part) => part !== '').join('&') };
  const cut = appQuery.lastIndexOf('/');
  if (cut < 0 || cut === appQuery.length - 1) return { refused: 'the stream has no name; the URL lacks its last part' };
  return { stream: percentDecoded(appQuery.slice(cut + 1)), query: appQuery.slice(0, cut) };
}

/** A name and the query behind it. */
function splitQuery(text: string): [string, string] {
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** As it is, where it isn't well-formed: the router's grammar takes no percent sign. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function shortText<K extends string>(key: K, value: AmfValue): { readonly [P in K]?: string } {
  if (typeof value !== 'string') return {};
  return { [key]: value.slice(0, MAX_TEXT_LENGTH) } as { readonly [P in K]?: string };
}

const ENHANCED_PROPERTIES = ['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap', 'capsEx'] as const;
/** Bits of capsEx, Enhanced RTMP v2 "Enhancing NetConnection connect Command". */
const CAPS_EX = { reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 } as const;
/** Bits of a FourCcInfo: that a codec can be forwarded. */
const CAN_FORWARD = 4;

/** What we tell a peer that speaks Enhanced RTMP, beside what everybody is told. */
export function enhancedCapabilities(): AmfObject {
  const infoMap = (fourCcs: readonly string[]) => Object.fromEntries(fourCcs.map((fourCc) => [fourCc, CAN_FORWARD]));
  const video = ['avc1', 'hvc1', 'av01', 'vp09'];
  const audio = ['mp4a', '.mp3', 'Opus'];
  return {
    fourCcList: [...video, ...audio],
    videoFourCcInfoMap: infoMap(video),
    audioFourCcInfoMap: infoMap(audio),
    capsEx: CAPS_EX.reconnect | CAPS_EX.multitrack | CAPS_EX.modEx | CAPS_EX.timestampNanoOffset,
  };
}
