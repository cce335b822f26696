import { type Answer, KeepAliveConnection } from './keep-alive-connection.js';
import type { Piece, PlaylistReader, ReadPlaylist } from './read-playlist.js';

/** Which HLS a viewer plays: with parts, or whole segments. */
export const VIEWER_KINDS = ['low-latency', 'plain'] as const;
export type ViewerKind = (typeof VIEWER_KINDS)[number];

/** What the viewers of a worker have in common. */
export interface ViewerContext {
  readonly host: string;
  readonly port: number;
  /** Of the stream, without a slash before it. */
  readonly path: string;
  readonly readBuffer: Buffer;
  readonly playlists: PlaylistReader;
  readonly onBytes: (count: number) => void;
  /** A part or segment has come whole. */
  readonly onPiece: (piece: Piece, at: number) => void;
  /** A playlist has come. */
  readonly onPlaylist: (playlist: ReadPlaylist, at: number) => void;
}

/** A viewer of HLS that asks as a player does and keeps nothing. */
export interface HlsViewer {
  /** It has had a piece. */
  readonly plays: boolean;
  /** Why it is over, if it is. */
  readonly failure: string | undefined;
  /** Pieces that the server didn't have. */
  readonly missed: number;
  close(): void;
}

const HALF = 0.5;
const isAfter = (a: Piece, b: Piece): boolean => a.segment > b.segment || (a.segment === b.segment && a.part > b.part);

abstract class Viewer implements HlsViewer {
  plays = false;
  failure: string | undefined;
  missed = 0;
  protected readonly context: ViewerContext;
  protected readonly pieces: KeepAliveConnection;
  protected readonly queue: Piece[] = [];
  protected last: Piece | undefined;
  readonly #folder: string;
  readonly #userAgent: string;

  /** @param number on an open path, viewers at one address are told apart by their user agents */
  constructor(context: ViewerContext, number: string) {
    this.context = context;
    this.#folder = `/${context.path.slice(0, context.path.lastIndexOf('/') + 1)}`;
    this.#userAgent = `sluice-bench/${number}`;
    this.pieces = this.connect();
  }

  close(): void {
    this.failure ??= 'closed by the viewer';
    this.pieces.close();
  }

  protected connect(): KeepAliveConnection {
    return new KeepAliveConnection({
      ...this.context,
      userAgent: this.#userAgent,
      onFailure: (reason) => {
        this.failure ??= reason;
        this.close();
      },
    });
  }

  protected take({ status, body, isGzip, at }: Answer): ReadPlaylist | undefined {
    if (status !== 200 || body === undefined) {
      this.failure ??= `the playlist was answered with ${status}`;
      this.close();
      return undefined;
    }
    const playlist = this.context.playlists.read(body, isGzip);
    this.context.onPlaylist(playlist, at);
    return playlist;
  }

  /** Asks for one piece after the other. */
  protected pump(): void {
    if (this.pieces.isBusy || this.failure !== undefined) return;
    const piece = this.queue.shift();
    if (piece === undefined) {
      this.drained();
      return;
    }
    this.pieces.get(`${this.#folder}${piece.uri}`, false, ({ status, at }) => {
      if (status === 200) this.context.onPiece(piece, at);
      else this.missed += 1;
      this.plays ||= status === 200;
      this.pump();
    });
  }

  /** There is nothing to be asked for. */
  protected drained(): void {
    // What comes next, a playlist tells.
  }

  protected enqueue(pieces: readonly Piece[]): void {
    for (const piece of pieces) {
      if (this.last !== undefined && !isAfter(piece, this.last)) continue;
      this.last = piece;
      this.queue.push(piece);
    }
  }
}

/** Two connections: on one the playlist's next state is waited for, on the other the part that it hints at. */
class LowLatencyViewer extends Viewer {
  readonly #playlists = this.connect();

  constructor(context: ViewerContext, number: string) {
    super(context, number);
    this.#ask('');
  }

  override close(): void {
    super.close();
    this.#playlists.close();
  }

  #ask(query: string): void {
    this.#playlists.get(`/${this.context.path}.m3u8${query}`, true, (answer) => {
      const playlist = this.take(answer);
      if (playlist === undefined) return;
      const { parts, hint } = playlist;
      if (hint === undefined) {
        this.failure ??= 'the playlist has no preload hint';
        this.close();
        return;
      }
      // It begins with what is being made.
      this.enqueue(this.last === undefined ? [hint] : [...parts, hint]);
      this.pump();
      this.#ask(`?_HLS_msn=${hint.segment}&_HLS_part=${hint.part}&_HLS_skip=YES`);
    });
  }
}

/** One connection: the playlist each target duration (RFC 8216 §6.3.4), and the segments that are new in it. */
class PlainViewer extends Viewer {
  #timer: NodeJS.Timeout | undefined;
  #askedAt = 0;
  #waitMs = 0;

  constructor(context: ViewerContext, number: string) {
    super(context, number);
    this.#ask();
  }

  override close(): void {
    super.close();
    clearTimeout(this.#timer);
  }

  protected override drained(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), Math.max(0, this.#askedAt + this.#waitMs - performance.now()));
  }

  #ask(): void {
    this.#askedAt = performance.now();
    this.pieces.get(`/${this.context.path}.m3u8`, true, (answer) => {
      const playlist = this.take(answer);
      if (playlist === undefined) return;
      const before = this.last;
      this.enqueue(before === undefined ? playlist.segments.slice(-1) : playlist.segments);
      this.#waitMs = playlist.targetSeconds * 1000 * (this.last === before ? HALF : 1);
      this.pump();
    });
  }
}

export function openViewer(kind: ViewerKind, context: ViewerContext, number: string): HlsViewer {
  return kind === 'plain' ? new PlainViewer(context, number) : new LowLatencyViewer(context, number);
}
