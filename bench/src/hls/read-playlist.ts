import { gunzipSync } from 'node:zlib';

/** A segment or a part, by the numbers in its name. */
export interface Piece {
  readonly uri: string;
  readonly segment: number;
  /** -1 for a whole segment. */
  readonly part: number;
}

/** What a viewer goes by. */
export interface ReadPlaylist {
  readonly targetSeconds: number;
  readonly holdBackSeconds: number;
  readonly init: string | undefined;
  /** Oldest first. */
  readonly segments: readonly Piece[];
  readonly parts: readonly Piece[];
  readonly hint: Piece | undefined;
}

/** Reads this server's media playlists. */
export function readPlaylist(text: string): ReadPlaylist {
  const segments: Piece[] = [];
  const parts: Piece[] = [];
  let hint: Piece | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXT-X-PART:')) parts.push(pieceOf(uriIn(line)));
    else if (line.startsWith('#EXT-X-PRELOAD-HINT:')) hint = pieceOf(uriIn(line));
    else if (line !== '' && !line.startsWith('#')) segments.push(pieceOf(line));
  }
  const numberAfter = (tag: RegExp) => Number(tag.exec(text)?.[1] ?? 0);
  return {
    targetSeconds: numberAfter(/#EXT-X-TARGETDURATION:(\d+)/),
    holdBackSeconds: numberAfter(/PART-HOLD-BACK=([\d.]+)/),
    init: /#EXT-X-MAP:URI="([^"]+)"/.exec(text)?.[1],
    segments,
    parts,
    hint,
  };
}

/** Reads each playlist once, however many viewers get the same bytes. */
export class PlaylistReader {
  readonly #known: { readonly body: Buffer; readonly playlist: ReadPlaylist }[] = [];

  read(body: Buffer, isGzip: boolean): ReadPlaylist {
    const known = this.#known.find((entry) => entry.body.equals(body));
    if (known !== undefined) return known.playlist;
    const playlist = readPlaylist((isGzip ? gunzipSync(body) : body).toString());
    this.#known.unshift({ body: Buffer.from(body), playlist });
    this.#known.splice(MOST_KNOWN);
    return playlist;
  }
}

const MOST_KNOWN = 8;

function uriIn(line: string): string {
  return /URI="([^"]+)"/.exec(line)?.[1] ?? '';
}

function pieceOf(uri: string): Piece {
  const [, segment, part] = /-(\d+)(?:\.(\d+))?\.\w+$/.exec(uri) ?? [];
  if (segment === undefined) throw new Error(`${uri}: no name of a segment or a part`);
  return { uri, segment: Number(segment), part: part === undefined ? -1 : Number(part) };
}
