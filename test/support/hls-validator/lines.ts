import type { Report } from './rules.js';
import { isTagName, type ReadTag, TAGS } from './tags.js';

/** Where a playlist comes from. */
export interface PlaylistOrigin {
  /** Its URL, also of what answered; for relative URIs and query parameters. */
  readonly url?: string;
  /** Variables of the multivariant playlist that lists it. rfc8216bis §4.4.2.3 */
  readonly variables?: ReadonlyMap<string, string>;
}

/** A URI line. */
export interface UriLine {
  readonly name: 'URI';
  readonly value: string;
  readonly line: number;
}

export type Item = ReadTag | UriLine;

/** A playlist's tags and URIs in order, and the variables that it defines. */
export interface ReadLines {
  readonly items: readonly Item[];
  readonly variables: ReadonlyMap<string, string>;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be in a playlist
const CONTROL = /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f]/;
const VARIABLE = /\{\$([A-Za-z0-9_-]+)\}/g;
const VARIABLE_NAME = /^[A-Za-z0-9_-]+$/;

/** Splits a playlist into its lines and reads each. rfc8216bis §4.1 */
export function readLines(text: string, origin: PlaylistOrigin, report: Report): ReadLines {
  const variables = new Map<string, string>();
  const items: Item[] = [];
  const substitute = (where: string) => (raw: string) =>
    raw.replace(VARIABLE, (reference, name: string) => {
      const value = variables.get(name);
      if (value === undefined) report('variable', `${where}: ${reference} is defined nowhere before`);
      return value ?? reference;
    });

  checkCharacters(text, report);
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  else report('line-ending', `line ${lines.length} has no line feed`);
  if (lines[0]?.replace(/\r$/, '') !== '#EXTM3U') report('extm3u-first', `line 1 is "${lines[0] ?? ''}"`);

  lines.forEach((ended, index) => {
    const line = index + 1;
    const content = ended.replace(/\r$/, '');
    if (content.includes('\r')) report('line-ending', `line ${line} has a carriage return within it`);
    if (content !== content.trim()) report('whitespace', `line ${line} begins or ends with white space`);
    const trimmed = content.trim();
    if (trimmed === '') return;
    if (!trimmed.startsWith('#')) {
      if (/\s/.test(trimmed)) report('whitespace', `line ${line}: the URI "${trimmed}" has white space`);
      items.push({ name: 'URI', value: substitute(`line ${line}`)(trimmed), line });
      return;
    }
    if (!trimmed.startsWith('#EXT')) return;
    const colon = trimmed.indexOf(':');
    const name = trimmed.slice(1, colon < 0 ? undefined : colon);
    if (!isTagName(name)) {
      report('unknown-tag', `line ${line}: ${name} is no tag of rfc8216bis`);
      return;
    }
    const where = `${name} in line ${line}`;
    const value = TAGS[name].read(colon < 0 ? undefined : trimmed.slice(colon + 1), {
      where,
      report,
      substitute: substitute(where),
    });
    if (value === undefined) return;
    const tag = { name, value, line } as ReadTag;
    items.push(tag);
    if (tag.name === 'EXT-X-DEFINE') define(tag, origin, variables, report);
  });
  return { items, variables };
}

function checkCharacters(text: string, report: Report): void {
  if (text.startsWith('\uFEFF')) report('byte-order-mark', 'the playlist begins with a byte order mark');
  const control = CONTROL.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).padStart(4, '0');
    report('control-character', `U+${code} is at character ${control.index}`);
  }
}

function define(
  { value, line }: Extract<ReadTag, { name: 'EXT-X-DEFINE' }>,
  origin: PlaylistOrigin,
  variables: Map<string, string>,
  report: Report,
): void {
  const { NAME, VALUE, IMPORT, QUERYPARAM } = value;
  const [name, ...others] = [NAME, IMPORT, QUERYPARAM].filter((named) => named !== undefined);
  let fault: string | undefined;
  if (name === undefined || others.length > 0) fault = 'needs one of NAME, IMPORT and QUERYPARAM';
  else if (!VARIABLE_NAME.test(name)) fault = `names "${name}", which is no variable name`;
  else if (variables.has(name)) fault = `defines ${name} again`;
  else {
    const imported = IMPORT === undefined ? parameter(origin, name) : origin.variables?.get(name);
    const found = NAME === undefined ? imported : VALUE;
    if (found === undefined) fault = NAME === undefined ? `takes ${name} from where it isn't` : 'has no VALUE';
    else variables.set(name, found);
  }
  if (fault !== undefined) report('define', `EXT-X-DEFINE in line ${line} ${fault}`);
}

function parameter({ url }: PlaylistOrigin, name: string): string | undefined {
  return (url === undefined ? undefined : new URL(url).searchParams.get(name)) || undefined;
}
