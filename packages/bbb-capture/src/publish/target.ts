import { CaptureError } from '../capture/capture-error.js';

/** Where a capture is published to. Its URL holds the stream's key, so that it shows itself without one. */
export class PublishTarget {
  /** For people: scheme, host, port and application, without the stream's name, which may be its key. */
  readonly shown: string;
  readonly #url: string;
  readonly #stream: string;
  readonly #credential: () => string;

  /**
   * @param url without what changes from one connection to the next
   * @param options.stream scheme, host, port, application and stream, in the one form in which they are compared
   * @param options.credential put behind the URL, anew for each connection: `?sign=…`
   */
  constructor(
    url: string,
    shown: string,
    { stream, credential = () => '' }: { readonly stream: string; readonly credential?: () => string },
  ) {
    this.#url = url;
    this.shown = shown;
    this.#stream = stream;
    this.#credential = credential;
  }

  /** The URL with its key: for one connection. */
  reveal(): string {
    return `${this.#url}${this.#credential()}`;
  }

  /** Whether both are one stream of one server: of two publishers one would be thrown out. */
  isSameAs(other: PublishTarget): boolean {
    return this.#stream === other.#stream;
  }

  /** Takes the key out of what somebody else says of the target. */
  redact(text: string): string {
    const key = this.#url.slice(this.#url.lastIndexOf('/', this.#url.search(/[?#]|$/)) + 1);
    const [name = key] = key.split(/[?#]/, 1);
    return text.replaceAll(this.#url, this.shown).replaceAll(key, '(hidden)').replaceAll(name, '(hidden)');
  }

  toString(): string {
    return this.shown;
  }

  toJSON(): string {
    return this.shown;
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'rtmp:': 1935, 'rtmps:': 443 };
/** What a URL parser may drop, turn or read as something else, so that two of them could disagree about the host. */
const AMBIGUOUS = /[\s\\\p{Cc}\p{Cf}]|[^\p{ASCII}]/u;
const MOST_LENGTH = 2000;

/**
 * Reads the address of a publish and holds it against the origins that are allowed: scheme, host and port must be
 * exactly those of one of them. There are no patterns, and names are not looked up.
 *
 * @param text `rtmp://` or `rtmps://host[:port]/app/stream[?query]`
 * @param allowed origins, as in `rtmps://live.example.org:443`
 * @throws {CaptureError} `target-not-allowed`; its message doesn't repeat the path, which may hold a key
 */
export function allowTarget(text: string, allowed: readonly string[]): PublishTarget {
  const { url, origin } = readRtmpUrl(text, 'the target');
  const path = url.pathname.replace(/^\/+/, '');
  const cut = path.lastIndexOf('/');
  if (cut <= 0 || cut === path.length - 1) throw refused(`the target at ${origin} lacks an app or a stream`);
  if (!allowed.some((entry) => originOf(entry) === origin)) {
    throw refused(`${origin} is not among bbb.targets; add exactly ${origin} to publish there`);
  }
  return new PublishTarget(text, `${origin}/${path.slice(0, cut)}`, { stream: `${origin}/${path}` });
}

/**
 * The origin that an entry of `bbb.targets` allows, in the form in which they are compared.
 *
 * @throws {CaptureError} `target-not-allowed` for an entry that is none, or has more than scheme, host and port
 */
export function originOf(entry: string): string {
  const { url, origin } = readRtmpUrl(entry, `the entry ${entry} of bbb.targets`);
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    throw refused(`the entry ${origin}… of bbb.targets has a path; write ${origin}`);
  }
  return origin;
}

function readRtmpUrl(text: string, what: string): { url: URL; origin: string } {
  if (text.length > MOST_LENGTH) throw refused(`${what} has ${text.length} characters; ${MOST_LENGTH} are read`);
  if (AMBIGUOUS.test(text)) throw refused(`${what} holds spaces, backslashes or characters beyond ASCII`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = url === undefined ? undefined : DEFAULT_PORTS[url.protocol];
  if (url === undefined || port === undefined || !/^rtmps?:\/\//.test(text)) {
    throw refused(`${what} is no RTMP URL; write rtmp://host/app/stream`);
  }
  // An empty user (`rtmp://@host`) parses to nothing, so that the text is asked as well.
  const [authority = ''] = text.slice(url.protocol.length + 2).split(/[/?#]/, 1);
  if (url.username !== '' || url.password !== '' || authority.includes('@')) {
    throw refused(`${what} names a user before its host; leave that out`);
  }
  // Of `rtmp:` the parser leaves escapes in the host as they are: what they stand for is for others to guess.
  if (url.hostname === '' || authority.includes('%')) throw refused(`${what} has no plain host`);
  if (url.port === '0') throw refused(`${what} has port 0`);
  const host = url.hostname.toLowerCase();
  return { url, origin: `${url.protocol}//${host}:${url.port === '' ? port : url.port}` };
}

function refused(message: string): CaptureError {
  return new CaptureError('target-not-allowed', message);
}
