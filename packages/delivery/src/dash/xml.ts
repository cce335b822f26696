/** An attribute's value; undefined leaves it out. */
export type AttributeValue = string | number | boolean | undefined;

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly children: readonly XmlElement[];
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** What XML 1.0 §2.2 knows no way to write. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are meant
const UNWRITABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/gu;

/** An element of attributes and elements; DASH has no text between them. */
export function element(
  name: string,
  attributes: Readonly<Record<string, AttributeValue>>,
  children: readonly (XmlElement | undefined)[] = [],
): XmlElement {
  return { name, attributes, children: children.filter((child) => child !== undefined) };
}

/** A document with its declaration, indented. XML 1.0. */
export function writeXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${written(root, '')}`;
}

function written({ name, attributes, children }: XmlElement, indent: string): string {
  const told = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const head = `${indent}<${name}${told.map(([key, value]) => ` ${key}="${escaped(String(value))}"`).join('')}`;
  if (children.length === 0) return `${head}/>\n`;
  return `${head}>\n${children.map((child) => written(child, `${indent}  `)).join('')}${indent}</${name}>\n`;
}

/** Of an attribute: white space other than a blank would be read as a blank, so it is written by its number. */
function escaped(text: string): string {
  return text
    .replace(UNWRITABLE, '\ufffd')
    .replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character)
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
