import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

/** A connection that nothing has been asked on for so long is closed. */
const IDLE_MS = 30_000;
/** A connection that a close was announced on may still end what is under way for so long, unless it lives. */
const SILENCE_MS = 30_000;
/** An answer that was given in full is gone by then: even a long segment would come too late to be played. */
const ANSWER_MS = 120_000;
const SWEEP_MS = 10_000;
/**
 * PING, SETTINGS and reset streams between two sweeps. Players abort a request now and then, proxies one per viewer
 * that leaves; beyond this it is a flood, which costs the sender less than us (CVE-2023-44487).
 */
const MOST_OVERHEAD = 500;

interface Entry {
  readonly session: ServerHttp2Session;
  /** With the time at which a sweep first saw that its answer was given in full. */
  readonly streams: Map<ServerHttp2Stream, number | undefined>;
  /** When the last stream ended, in ms of the monotonic clock. */
  idleSince: number;
  /** When the client was asked for a sign of life that has not come yet. */
  askedAt: number | undefined;
  overhead: number;
}

/** The HTTP/2 connections of a listener: ends those that are idle, dead or abused, and all of them at shutdown. */
export class Http2Sessions {
  readonly #entries = new Set<Entry>();
  readonly #now: () => number;
  readonly #onAbuse: (session: ServerHttp2Session) => void;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param options.now monotonic, in ms
   * @param options.onAbuse told of a connection that is being cut for flooding
   */
  constructor(options: { now: () => number; onAbuse: (session: ServerHttp2Session) => void }) {
    this.#now = options.now;
    this.#onAbuse = options.onAbuse;
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  add(session: ServerHttp2Session): void {
    const entry: Entry = { session, streams: new Map(), idleSince: this.#now(), askedAt: undefined, overhead: 0 };
    this.#entries.add(entry);
    session.once('close', () => this.#entries.delete(entry));
    // What is wrong with one stream or connection ends that one; node has reset it by then.
    session.on('error', () => undefined);
    session.on('stream', (stream) => this.#addStream(entry, stream));
    session.on('ping', () => this.#charge(entry));
    session.on('remoteSettings', () => this.#charge(entry));
  }

  /** Takes no more requests on any connection (GOAWAY, RFC 9113 §6.8); each closes when its last answer is out. */
  close(): void {
    for (const { session } of this.#entries) session.close();
  }

  /** Ends what is still open. */
  destroy(): void {
    clearInterval(this.#timer);
    for (const { session } of this.#entries) session.destroy();
  }

  /** Looks at what only time can tell. */
  sweep(): void {
    const now = this.#now();
    for (const entry of [...this.#entries]) {
      entry.overhead = 0;
      for (const stream of entry.streams.keys()) this.#checkAnswer(entry, stream, now);
      if (entry.askedAt !== undefined && now - entry.askedAt >= SILENCE_MS) entry.session.destroy();
      else if (entry.streams.size === 0 && now - entry.idleSince >= IDLE_MS) this.#retire(entry, now);
      else if (entry.streams.size > 0 && entry.askedAt === undefined) this.#ask(entry, now);
    }
  }

  #addStream(entry: Entry, stream: ServerHttp2Stream): void {
    entry.streams.set(stream, undefined);
    stream.on('error', () => undefined);
    // Who has its answer needs to say no more; else a request that never ends would hold the stream.
    stream.once('finish', () => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR)));
    stream.once('close', () => {
      entry.streams.delete(stream);
      entry.idleSince = this.#now();
      if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.#charge(entry);
    });
  }

  /** A client may keep a stream's window closed for ever. Viewers without an end are watched by who serves them. */
  #checkAnswer(entry: Entry, stream: ServerHttp2Stream, now: number): void {
    if (!stream.writableEnded || stream.writableFinished) return;
    const since = entry.streams.get(stream) ?? now;
    entry.streams.set(stream, since);
    if (now - since >= ANSWER_MS) stream.close(constants.NGHTTP2_CANCEL);
  }

  #charge(entry: Entry): void {
    entry.overhead += 1;
    const { session } = entry;
    if (entry.overhead <= MOST_OVERHEAD || session.destroyed) return;
    this.#onAbuse(session);
    session.destroy(new Error('a flood of frames that ask for nothing'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** A line that still works closes soon after; one that doesn't is cut later. */
  #retire(entry: Entry, now: number): void {
    entry.askedAt ??= now;
    entry.session.close();
  }

  #ask(entry: Entry, now: number): void {
    const { session } = entry;
    if (session.closed || session.destroyed) return;
    entry.askedAt = now;
    session.ping((error) => {
      if (error === null) entry.askedAt = undefined;
    });
  }
}
