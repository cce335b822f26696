import { BITRATES, FRAME_RATES, PICTURE_SIZES } from './encoding.js';

const SOURCES = ['camera', 'screen'] as const;
/** What the picture is like, which tells the encoder what to keep when there is too little room. */
const CONTENTS = ['auto', 'motion', 'detail', 'text'] as const;

export type Source = (typeof SOURCES)[number];
export type Content = (typeof CONTENTS)[number];

/** What a person has chosen on the publish page. */
export interface PublishSettings {
  readonly source: Source;
  /** `deviceId`; empty leaves it to the browser. */
  readonly camera: string;
  readonly microphone: string;
  /** Lines. */
  readonly height: number;
  /** Pictures per second. */
  readonly frameRate: number;
  /** Bits per second; undefined takes what suits. */
  readonly bitrate: number | undefined;
  readonly content: Content;
  readonly music: boolean;
}

const DEFAULTS: PublishSettings = {
  source: 'camera',
  camera: '',
  microphone: '',
  height: 720,
  frameRate: 30,
  bitrate: undefined,
  content: 'auto',
  music: false,
};
const STORAGE_KEY = 'sluice.publish';

/** Makes settings of whatever a form or the storage holds; what is not to be had gives way to the default. */
export function readSettings(from: Readonly<Record<string, unknown>>): PublishSettings {
  const one = <T>(name: keyof PublishSettings, of: readonly T[], otherwise: T): T => {
    const value = from[name];
    const isText = typeof value === 'string' || typeof value === 'number';
    return of.find((candidate) => isText && String(candidate) === String(value)) ?? otherwise;
  };
  const text = (name: keyof PublishSettings) => {
    const value = from[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    source: one('source', SOURCES, DEFAULTS.source),
    camera: text('camera'),
    microphone: text('microphone'),
    height: one(
      'height',
      PICTURE_SIZES.map(({ height }) => height),
      DEFAULTS.height,
    ),
    frameRate: one('frameRate', FRAME_RATES, DEFAULTS.frameRate),
    bitrate: one<number | undefined>('bitrate', BITRATES, undefined),
    content: one('content', CONTENTS, DEFAULTS.content),
    music: from.music === true || from.music === 'on',
  };
}

/** What `contentHint` is to say of the picture. */
export function contentHintOf({ source, content }: PublishSettings): string {
  if (content !== 'auto') return content;
  return source === 'screen' ? 'detail' : 'motion';
}

/** Settings of the last visit. */
export function rememberedSettings(): PublishSettings {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}');
    return readSettings(typeof stored === 'object' && stored !== null ? { ...stored } : {});
  } catch {
    // Storage can be forbidden, or hold anything.
    return DEFAULTS;
  }
}

export function rememberSettings(settings: PublishSettings): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(settings));
  } catch {
    // Then they hold for this visit.
  }
}
