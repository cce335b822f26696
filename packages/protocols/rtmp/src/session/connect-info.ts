import type { AmfObject, AmfValue } from '@sluice/media';

/** What a client said of itself in `connect`. Nothing of it is trusted. */
export interface ConnectInfo {
  /** Without its query and slashes at the ends. */
  readonly app: string;
  /** Of the app, as in `live?key=…`. */
  readonly query: string;
  readonly tcUrl: string;
  readonly flashVer?: string;
  readonly pageUrl?: string;
  readonly swfUrl?: string;
  readonly objectEncoding: 0 | 3;
  /** Whether it speaks Enhanced RTMP, and so is told what we can. */
  readonly enhanced: boolean;
}

/** Longest text that is kept of a client's; a longer one is no URL of this world. */
const MAX_TEXT = 2048;

export function readConnectInfo(object: AmfObject): ConnectInfo {
  const [app, query] = splitQuery(text(object.app) ?? '');
  const optional = (key: 'flashVer' | 'pageUrl' | 'swfUrl') => {
    const value = text(object[key]);
    return value === undefined ? {} : { [key]: value };
  };
  return {
    app: app.replace(/^\/+|\/+$/g, ''),
    query,
    tcUrl: text(object.tcUrl) ?? '',
    ...optional('flashVer'),
    ...optional('pageUrl'),
    ...optional('swfUrl'),
    objectEncoding: object.objectEncoding === 3 ? 3 : 0,
    enhanced: ['fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap', 'capsEx'].some((key) => key in object),
  };
}

/** A name and the query behind it. */
export function splitQuery(text: string): [string, string] {
  const at = text.indexOf('?');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function text(value: AmfValue): string | undefined {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : undefined;
}

/** Bits of capsEx, Enhanced RTMP v2 "Enhancing NetConnection connect Command". */
const CAPS_EX = { reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 } as const;
/** Bits of a FourCcInfo: that a codec can be forwarded. */
const CAN_FORWARD = 4;

/** What we tell a client that speaks Enhanced RTMP, beside what everybody is told. */
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
