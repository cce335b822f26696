/** What a segment's URL tells: all that is needed to make it. */
export type SegmentName =
  | { readonly kind: 'init'; readonly file: string }
  | {
      readonly kind: 'media';
      readonly file: string;
      /** Samples of the file's clock. */
      readonly first: number;
      /** Not included. */
      readonly end: number;
      /** Where the file's first sample is on the playlist's timeline, in µs. May be negative. */
      readonly offset: number;
    };

const INIT = /^([\w-]{1,128})\.init\.mp4$/;
const MEDIA = /^([\w-]{1,128})\.(\d{1,9})\.(\d{1,9})\.(n?)(\d{1,15})\.m4s$/;

export function segmentNameOf(name: SegmentName): string {
  if (name.kind === 'init') return `${name.file}.init.mp4`;
  const { file, first, end, offset } = name;
  return `${file}.${first}.${end}.${offset < 0 ? 'n' : ''}${Math.abs(offset)}.m4s`;
}

/** @returns undefined for what is no such name */
export function parseSegmentName(text: string): SegmentName | undefined {
  const [, initOf] = INIT.exec(text) ?? [];
  if (initOf !== undefined) return { kind: 'init', file: initOf };
  const [, file, first, end, sign, offset] = MEDIA.exec(text) ?? [];
  if (file === undefined) return undefined;
  const media = { kind: 'media', file, first: Number(first), end: Number(end) } as const;
  return media.first < media.end ? { ...media, offset: Number(offset) * (sign === 'n' ? -1 : 1) } : undefined;
}
