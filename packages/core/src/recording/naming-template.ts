import { type Millis, millis } from '@sluice/media';
import { type StreamPath, tryParseStreamPath } from '../stream-path.js';
import { RECORDING_CONTAINERS, type RecordingContainer } from './recorded-file.js';

/** What a template's placeholders stand for. */
export interface RecordingNameValues {
  readonly path: StreamPath;
  /** When the first frame was live. */
  readonly startedAt: Millis;
  /** Of the file. */
  readonly id: string;
  readonly container: RecordingContainer;
}

/** A template that can't be used, or a name that came out of one and can't. */
export class NamingError extends Error {
  override readonly name = 'NamingError';
}

type Placeholder = keyof typeof VALUES;
type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly placeholder: Placeholder };

/** Ext4, XFS and their like take 255 bytes; a name that is taken gets a number, which needs some of them. */
const MAX_NAME_BYTES = 240;
const MAX_FILE_BYTES = 1024;

/** Where the name of a template comes out too long: what comes of this is short enough for every stream path. */
const FALLBACK = '{app}/{name}/{id}.{ext}';

const VALUES = {
  app: ({ path }: RecordingNameValues) => path.slice(0, path.indexOf('/')),
  name: ({ path }: RecordingNameValues) => path.slice(path.indexOf('/') + 1),
  yyyy: ({ startedAt }: RecordingNameValues) => iso(startedAt).slice(0, 4),
  MM: ({ startedAt }: RecordingNameValues) => iso(startedAt).slice(5, 7),
  dd: ({ startedAt }: RecordingNameValues) => iso(startedAt).slice(8, 10),
  HH: ({ startedAt }: RecordingNameValues) => iso(startedAt).slice(11, 13),
  mm: ({ startedAt }: RecordingNameValues) => iso(startedAt).slice(14, 16),
  ss: ({ startedAt }: RecordingNameValues) => iso(startedAt).slice(17, 19),
  SSS: ({ startedAt }: RecordingNameValues) => iso(startedAt).slice(20, 23),
  unix: ({ startedAt }: RecordingNameValues) => String(Math.floor(startedAt / 1000)),
  id: ({ id }: RecordingNameValues) => id,
  ext: ({ container }: RecordingNameValues) => container,
} as const;

const DIGITS: Partial<Record<Placeholder, string>> = {
  ...{ yyyy: '\\d{4}', MM: '\\d\\d', dd: '\\d\\d', HH: '\\d\\d', mm: '\\d\\d', ss: '\\d\\d', SSS: '\\d{3}' },
  unix: '\\d{1,12}',
};

/** To find out at once whether a template can be used. */
const EXAMPLE: RecordingNameValues = {
  path: 'a/b' as StreamPath,
  startedAt: 0 as Millis,
  id: '0123456789abcdef',
  container: 'mp4',
};

/** Says where under the recording root a file goes: names joined by `/`, with placeholders in braces. */
export class NamingTemplate {
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /**
   * @throws {NamingError} for an unknown placeholder or a stray brace, and where names would be empty, `.` or `..`, have
   *   a backslash or a control character, or be too long
   */
  static parse(text: string): NamingTemplate {
    const template = new NamingTemplate(partsOf(text));
    template.#expand(EXAMPLE);
    return template;
  }

  /** The file's place under the root, with `/` between names. It never leads out of it. */
  expand(values: RecordingNameValues): string {
    try {
      return this.#expand(values);
    } catch (error) {
      if (!(error instanceof NamingError)) throw error;
      return new NamingTemplate(partsOf(FALLBACK)).#expand(values);
    }
  }

  /** Which stream a file of such a name is of, and what it is; undefined where its name doesn't tell. */
  read(file: string): { readonly path: StreamPath; readonly container: RecordingContainer } | undefined {
    const found = this.#pattern().exec(file)?.groups;
    const extension = found?.ext ?? file.slice(file.lastIndexOf('.') + 1);
    const container = RECORDING_CONTAINERS.find((known) => known === extension);
    const path = tryParseStreamPath(`${found?.app}/${found?.name}`);
    if (found?.app === undefined || found.name === undefined || path === undefined) return undefined;
    return container === undefined ? undefined : { path, container };
  }

  /** When the first frame of a file of such a name was live, to the second; undefined where its name doesn't tell. */
  readTime(file: string): Millis | undefined {
    const pattern = this.#pattern(DIGITS);
    // A name that was taken has a number behind it.
    const found = pattern.exec(file) ?? pattern.exec(file.replace(/-\d+(?=\.[^.]*$)/, ''));
    const { yyyy, MM, dd, HH, mm, ss, SSS = '000', unix } = found?.groups ?? {};
    if (unix !== undefined) return millis(Number(unix) * 1000);
    const time = Date.parse(`${yyyy}-${MM}-${dd}T${HH}:${mm}:${ss}.${SSS}Z`);
    return Number.isNaN(time) ? undefined : millis(time);
  }

  #expand(values: RecordingNameValues): string {
    const file = this.#parts.map((part) => (part.kind === 'text' ? part.text : VALUES[part.placeholder](values)));
    return checked(file.join(''));
  }

  /** @param narrower what placeholders stand for that aren't just any text */
  #pattern(narrower: Partial<Record<Placeholder, string>> = {}): RegExp {
    const known = new Set<Placeholder>();
    const parts = this.#parts.map((part) => {
      if (part.kind === 'text') return part.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const { placeholder } = part;
      if (known.has(placeholder)) return `\\k<${placeholder}>`;
      known.add(placeholder);
      return `(?<${placeholder}>${narrower[placeholder] ?? (placeholder === 'name' ? '.+' : '[^/]+')})`;
    });
    return new RegExp(`^${parts.join('')}$`);
  }
}

/** Why a template can't be used; undefined where it can. */
export function faultOfNamingTemplate(text: string): string | undefined {
  try {
    NamingTemplate.parse(text);
    return undefined;
  } catch (error) {
    if (error instanceof NamingError) return error.message;
    throw error;
  }
}

function partsOf(text: string): Part[] {
  return text
    .split(/(\{[^{}]*\})/)
    .filter((piece) => piece !== '')
    .map((piece): Part => {
      if (!/[{}]/.test(piece)) return { kind: 'text', text: piece };
      const placeholder = piece.slice(1, -1);
      if (isPlaceholder(placeholder) && piece === `{${placeholder}}`) return { kind: 'value', placeholder };
      const allowed = Object.keys(VALUES).map((known) => `{${known}}`);
      throw new NamingError(`${JSON.stringify(piece)} is no placeholder; allowed: ${allowed.join(', ')}`);
    });
}

const isPlaceholder = (text: string): text is Placeholder => Object.hasOwn(VALUES, text);

function checked(file: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\\\u0000-\u001f\u007f]/.test(file)) throw new NamingError('a name has a backslash or a control character');
  if (file.startsWith('/')) throw new NamingError('it begins with "/"; names go under `recording.dir`');
  if (Buffer.byteLength(file) > MAX_FILE_BYTES) throw new NamingError(`it is longer than ${MAX_FILE_BYTES} bytes`);
  for (const name of file.split('/')) {
    if (name === '' || name === '.' || name === '..') throw new NamingError(`"${name}" is no name of a file or folder`);
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new NamingError(`a name has over ${MAX_NAME_BYTES} bytes`);
  }
  return file;
}

const iso = (at: Millis): string => new Date(at).toISOString();
