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

/** A playlist of all versions. RFC 8216 §4.3.4 */
interface Multivariant {
  /** First the one that players are to begin with. */
  readonly variants: readonly Variant[];
  /** Whether decoding can begin with each segment. */
  readonly independent: boolean;
  /** By their `INSTREAM-ID`; all versions have them. Undefined where it isn't known whether there are any. */
  readonly captions: readonly string[] | undefined;
}

const CAPTIONS_GROUP = 'cc';
/** `SERVICE` of `INSTREAM-ID` came with version 7. RFC 8216 §7 */
const VERSION = { plain: 6, services: 7 } as const;

/** RFC 8216 §4.3.4. */
export function renderMultivariant({ variants, independent, captions }: Multivariant): string {
  const hasServices = captions?.some((id) => id.startsWith('SERVICE')) === true;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${hasServices ? VERSION.services : VERSION.plain}`,
    ...(independent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    ...(captions ?? []).map((id) => {
      return `#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="${CAPTIONS_GROUP}",NAME="${id}",INSTREAM-ID="${id}"`;
    }),
  ];
  // NONE has players throw captions away that come after all, so it isn't said before it is certain.
  const group = captions?.length === 0 ? 'NONE' : `"${CAPTIONS_GROUP}"`;
  for (const { uri, bandwidth, codecs, size, frameRate } of variants) {
    const attributes = [
      `BANDWIDTH=${Math.max(1, Math.round(bandwidth))}`,
      ...(codecs === undefined ? [] : [`CODECS="${codecs}"`]),
      ...(size === undefined ? [] : [`RESOLUTION=${size.width}x${size.height}`]),
      ...(frameRate === undefined ? [] : [`FRAME-RATE=${frameRate.toFixed(3)}`]),
      ...(captions === undefined ? [] : [`CLOSED-CAPTIONS=${group}`]),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, uri);
  }
  return `${lines.join('\n')}\n`;
}
