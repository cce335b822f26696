/** One version of a stream, for a playlist that lists them. */
export interface Variant {
  readonly uri: string;
  /** The most that a segment takes, in bit/s. */
  readonly bandwidth: number;
  /** RFC 6381, with commas between; undefined where that isn't known yet. */
  readonly codecs: string | undefined;
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly frameRate: number | undefined;
}

/** RFC 8216 §4.3.4.2. @param variants first the one that players are to begin with */
export function renderMultivariant(variants: readonly Variant[], independent: boolean): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:6', ...(independent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : [])];
  for (const { uri, bandwidth, codecs, size, frameRate } of variants) {
    const attributes = [
      `BANDWIDTH=${Math.max(1, Math.round(bandwidth))}`,
      ...(codecs === undefined ? [] : [`CODECS="${codecs}"`]),
      ...(size === undefined ? [] : [`RESOLUTION=${size.width}x${size.height}`]),
      ...(frameRate === undefined ? [] : [`FRAME-RATE=${frameRate.toFixed(3)}`]),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, uri);
  }
  return `${lines.join('\n')}\n`;
}
