import {
  type AttributeSchema,
  type Attributes,
  byteRange,
  type DateTime,
  dateTime,
  either,
  enumerated,
  enumeratedList,
  float,
  hex,
  integer,
  quoted,
  quotedByteRange,
  quotedDateTime,
  readAttributes,
  resolution,
  signedFloat,
  type ValueReader,
} from './attributes.js';
import type { Report } from './rules.js';

/** Where a tag may stand: rfc8216bis §4.4.1 to §4.4.6 in turn. */
export type TagPlace = 'any' | 'media' | 'segment' | 'metadata' | 'multivariant';

/** What reading a tag needs of the playlist around it. */
export interface TagContext {
  /** Names the tag and its line. */
  readonly where: string;
  readonly report: Report;
  /** Puts in the values of variables. */
  readonly substitute: (raw: string) => string;
}

interface Tag<T> {
  readonly place: TagPlace;
  /** Whether a playlist may have it only once. */
  readonly once: boolean;
  /** @returns undefined, reported, where it can't be read */
  readonly read: (value: string | undefined, context: TagContext) => T | undefined;
}

function bare(place: TagPlace, once: boolean): Tag<true> {
  return {
    place,
    once,
    read: (value, { where, report }) => {
      if (value !== undefined) report('tag-value', `${where} takes no value, and has "${value}"`);
      return true;
    },
  };
}

function single<T>(place: TagPlace, once: boolean, reader: ValueReader<T>): Tag<T> {
  return {
    place,
    once,
    read: (value, { where, report }) => {
      const read = reader.read(value ?? '');
      if (read === undefined) report('tag-value', `${where}: "${value ?? ''}" is not ${reader.what}`);
      return read;
    },
  };
}

function list<const S extends AttributeSchema>(place: TagPlace, once: boolean, schema: S): Tag<Attributes<S>> {
  return {
    place,
    once,
    read: (value, { where, report, substitute }) => readAttributes(value ?? '', schema, where, report, substitute),
  };
}

/** A segment's duration in seconds, as said and as written, and its title. */
export interface Inf {
  readonly duration: number;
  readonly written: string;
  readonly title: string;
}

const inf: ValueReader<Inf> = {
  what: '<duration>,[<title>]',
  read: (raw) => {
    const comma = raw.indexOf(',');
    if (comma < 0) return undefined;
    const written = raw.slice(0, comma);
    const duration = float.read(written);
    return duration === undefined ? undefined : { duration, written, title: raw.slice(comma + 1) };
  },
};

const yes = enumerated('YES');
const yesOrNo = enumerated('YES', 'NO');

const key = {
  required: { METHOD: enumerated('NONE', 'AES-128', 'AES-256-GCM', 'SAMPLE-AES', 'SAMPLE-AES-CTR') },
  optional: { URI: quoted, IV: hex, KEYFORMAT: quoted, KEYFORMATVERSIONS: quoted },
} as const;

const variant = {
  'AVERAGE-BANDWIDTH': integer,
  SCORE: float,
  CODECS: quoted,
  'SUPPLEMENTAL-CODECS': quoted,
  RESOLUTION: resolution,
  'HDCP-LEVEL': enumerated('TYPE-0', 'TYPE-1', 'NONE'),
  'ALLOWED-CPC': quoted,
  'VIDEO-RANGE': enumerated('SDR', 'HLG', 'PQ'),
  'REQ-VIDEO-LAYOUT': quoted,
  'STABLE-VARIANT-ID': quoted,
  VIDEO: quoted,
  'PATHWAY-ID': quoted,
} as const;

/** All tags that rfc8216bis §4.4 knows. */
export const TAGS = {
  EXTM3U: bare('any', true),
  'EXT-X-VERSION': single('any', true, integer),
  'EXT-X-INDEPENDENT-SEGMENTS': bare('any', true),
  'EXT-X-START': list('any', true, { required: { 'TIME-OFFSET': signedFloat }, optional: { PRECISE: yesOrNo } }),
  'EXT-X-DEFINE': list('any', false, {
    required: {},
    optional: { NAME: quoted, VALUE: quoted, IMPORT: quoted, QUERYPARAM: quoted },
  }),

  'EXT-X-TARGETDURATION': single('media', true, integer),
  'EXT-X-MEDIA-SEQUENCE': single('media', true, integer),
  'EXT-X-DISCONTINUITY-SEQUENCE': single('media', true, integer),
  'EXT-X-ENDLIST': bare('media', true),
  'EXT-X-PLAYLIST-TYPE': single('media', true, enumerated('EVENT', 'VOD')),
  'EXT-X-I-FRAMES-ONLY': bare('media', true),
  'EXT-X-PART-INF': list('media', true, { required: { 'PART-TARGET': float }, optional: {} }),
  'EXT-X-SERVER-CONTROL': list('media', true, {
    required: {},
    optional: {
      'CAN-SKIP-UNTIL': float,
      'CAN-SKIP-DATERANGES': yes,
      'HOLD-BACK': float,
      'PART-HOLD-BACK': float,
      'CAN-BLOCK-RELOAD': yes,
    },
  }),

  EXTINF: single('segment', false, inf),
  'EXT-X-BYTERANGE': single('segment', false, byteRange),
  'EXT-X-DISCONTINUITY': bare('segment', false),
  'EXT-X-KEY': list('segment', false, key),
  'EXT-X-MAP': list('segment', false, { required: { URI: quoted }, optional: { BYTERANGE: quotedByteRange } }),
  'EXT-X-PROGRAM-DATE-TIME': single<DateTime>('segment', false, dateTime),
  'EXT-X-GAP': bare('segment', false),
  'EXT-X-BITRATE': single('segment', false, integer),
  'EXT-X-PART': list('segment', false, {
    required: { URI: quoted, DURATION: float },
    optional: { INDEPENDENT: yes, BYTERANGE: quotedByteRange, GAP: yes },
  }),

  'EXT-X-DATERANGE': list('metadata', false, {
    required: { ID: quoted },
    optional: {
      CLASS: quoted,
      'START-DATE': quotedDateTime,
      CUE: enumeratedList('PRE', 'POST', 'ONCE'),
      'END-DATE': quotedDateTime,
      DURATION: float,
      'PLANNED-DURATION': float,
      'SCTE35-CMD': hex,
      'SCTE35-OUT': hex,
      'SCTE35-IN': hex,
      'END-ON-NEXT': yes,
    },
    extension: /^X-/,
  }),
  'EXT-X-SKIP': list('metadata', true, {
    required: { 'SKIPPED-SEGMENTS': integer },
    optional: { 'RECENTLY-REMOVED-DATERANGES': quoted },
  }),
  'EXT-X-PRELOAD-HINT': list('metadata', false, {
    required: { TYPE: enumerated('PART', 'MAP'), URI: quoted },
    optional: { 'BYTERANGE-START': integer, 'BYTERANGE-LENGTH': integer },
  }),
  'EXT-X-RENDITION-REPORT': list('metadata', false, {
    required: { URI: quoted },
    optional: { 'LAST-MSN': integer, 'LAST-PART': integer },
  }),

  'EXT-X-MEDIA': list('multivariant', false, {
    required: { TYPE: enumerated('AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'), 'GROUP-ID': quoted, NAME: quoted },
    optional: {
      URI: quoted,
      LANGUAGE: quoted,
      'ASSOC-LANGUAGE': quoted,
      'STABLE-RENDITION-ID': quoted,
      DEFAULT: yesOrNo,
      AUTOSELECT: yesOrNo,
      FORCED: yesOrNo,
      'INSTREAM-ID': quoted,
      'BIT-DEPTH': integer,
      'SAMPLE-RATE': integer,
      CHARACTERISTICS: quoted,
      CHANNELS: quoted,
    },
  }),
  'EXT-X-STREAM-INF': list('multivariant', false, {
    required: { BANDWIDTH: integer },
    optional: {
      ...variant,
      'FRAME-RATE': float,
      AUDIO: quoted,
      SUBTITLES: quoted,
      'CLOSED-CAPTIONS': either(quoted, enumerated('NONE')),
    },
  }),
  'EXT-X-I-FRAME-STREAM-INF': list('multivariant', false, {
    required: { BANDWIDTH: integer, URI: quoted },
    optional: variant,
  }),
  'EXT-X-SESSION-DATA': list('multivariant', false, {
    required: { 'DATA-ID': quoted },
    optional: { VALUE: quoted, URI: quoted, FORMAT: enumerated('JSON', 'RAW'), LANGUAGE: quoted },
  }),
  'EXT-X-SESSION-KEY': list('multivariant', false, key),
  'EXT-X-CONTENT-STEERING': list('multivariant', true, {
    required: { 'SERVER-URI': quoted },
    optional: { 'PATHWAY-ID': quoted },
  }),
} as const;

export type TagName = keyof typeof TAGS;

/** What a tag says. */
export type TagValue<N extends TagName> = Exclude<ReturnType<(typeof TAGS)[N]['read']>, undefined>;

/** A tag of a playlist, with the number of its line. */
export type ReadTag = {
  [N in TagName]: { readonly name: N; readonly value: TagValue<N>; readonly line: number };
}[TagName];

export const isTagName = (name: string): name is TagName => Object.hasOwn(TAGS, name);
