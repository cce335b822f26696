import { Refusal } from './errors.js';

declare const checked: unique symbol;

/** `app/name`, inside the grammar. The only form in which a stream's name goes past the door. */
export type StreamPath = string & { readonly [checked]: true };

/** Long enough for any key that encoders send, short enough for a file name with a suffix. */
export const MAX_STREAM_PATH_LENGTH = 255;

/** First words of URLs that the server answers itself; a stream there would be unreachable over HTTP. */
const RESERVED_APPS: ReadonlySet<string> = new Set([
  'api',
  'assets',
  'console',
  'healthz',
  'metrics',
  'player',
  'publish',
  'readyz',
  'rtc',
  'status',
  'whep',
  'whip',
]);

/** Letters, digits, dot, underscore and hyphen, and no dot in front. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/**
 * Checks a path against the one grammar for stream names: two segments or more, joined by `/`, each of
 * `[A-Za-z0-9._-]` with no leading dot, 255 characters in all. Nothing is decoded, trimmed or mended here.
 *
 * @throws {Refusal} `bad-name`, with a message that is safe to show: it never echoes control characters
 */
export function parseStreamPath(text: string): StreamPath {
  if (text.length > MAX_STREAM_PATH_LENGTH) {
    throw new Refusal('bad-name', `stream path has ${text.length} characters; ${MAX_STREAM_PATH_LENGTH} are allowed`);
  }
  const segments = text.split('/');
  if (segments.length < 2) {
    throw new Refusal('bad-name', `stream path ${printable(text)} has no "/"; write app/name, as in live/show`);
  }
  for (const segment of segments) {
    if (!SEGMENT.test(segment)) {
      throw new Refusal(
        'bad-name',
        `stream path ${printable(text)}: each part takes letters, digits, ".", "_" and "-" and can't begin with "."`,
      );
    }
  }
  const [app = ''] = segments;
  if (RESERVED_APPS.has(app)) {
    throw new Refusal('bad-name', `stream path ${printable(text)}: "${app}" is a word of the server's own URLs`);
  }
  return text as StreamPath;
}

/** The path without the throw, for routing. */
export function tryParseStreamPath(text: string): StreamPath | undefined {
  try {
    return parseStreamPath(text);
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
