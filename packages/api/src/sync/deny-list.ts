import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';

/** Who is to be cut off, as a pay-per-view handler says. */
export interface DenyList {
  readonly viewers: readonly string[];
  readonly sessions: readonly string[];
  readonly ips: readonly string[];
  /** As sessions name their credentials. */
  readonly tokens: readonly string[];
  /** How long; undefined where the answer doesn't say. */
  readonly seconds: number | undefined;
}

/** An answer that can't be read as a deny list. */
export class DenyListError extends Error {
  override readonly name = 'DenyListError';
}

const NOBODY: DenyList = { viewers: [], sessions: [], ips: [], tokens: [], seconds: undefined };
const MAX_ENTRIES = 10_000;

const text = z.union([z.string().min(1).max(1024), z.number().transform(String)]);
const list = z.array(text).max(MAX_ENTRIES).default([]);
/** PHP writes an empty object as an empty list. */
const emptyList = z.tuple([]).transform(() => ({}));

const jsonAnswer = z.object({
  deny: z.object({ ids: list, sessions: list, ips: list, tokens: list }).prefault({}),
  /** As WMSPanel's handlers answer. */
  DenyList: emptyList
    .pipe(z.object({ ID: list }))
    .or(z.object({ ID: list }))
    .prefault({}),
  ttlSeconds: z.number().min(1).max(31_536_000).optional(),
});

/** An element without content is read as an empty text. */
const emptyElement = z.literal('').transform(() => ({}));
const xmlDenyList = z.object({
  ID: z
    .array(z.string().max(1024))
    .max(MAX_ENTRIES)
    .default([])
    .transform((ids) => ids.filter((id) => id !== '')),
});

const xmlAnswer = z.object({
  ApiSyncResponse: z
    .object({ DenyList: emptyElement.pipe(xmlDenyList).or(xmlDenyList).prefault({}) })
    .or(emptyElement.transform(() => ({ DenyList: { ID: [] as string[] } }))),
});

/**
 * Reads the answer to a sync: our JSON, WMSPanel's JSON, or WMSPanel's XML (`ApiSyncResponse`). An empty answer denies
 * nobody.
 *
 * @throws {DenyListError} where it is none of these, which is not the same as an empty list
 */
export function readDenyList(answer: string): DenyList {
  const body = answer.trim();
  if (body === '') return NOBODY;
  return body.startsWith('<') ? fromXml(body) : fromJson(body);
}

function fromJson(body: string): DenyList {
  let tree: unknown;
  try {
    tree = JSON.parse(body);
  } catch {
    throw new DenyListError('the answer is neither JSON nor XML');
  }
  const read = jsonAnswer.safeParse(tree);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new DenyListError(`the answer is no deny list: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { deny, DenyList, ttlSeconds } = read.data;
  const { ids, sessions, ips, tokens } = deny;
  return { viewers: [...ids, ...DenyList.ID], sessions, ips, tokens, seconds: ttlSeconds };
}

/** Only the five entities that XML itself has are known: a document that declares others is not read at all. */
function fromXml(body: string): DenyList {
  if (/<!(DOCTYPE|ENTITY)/i.test(body)) throw new DenyListError('the answer has a DOCTYPE; answer without');
  if (XMLValidator.validate(body) !== true) throw new DenyListError('the answer is not well-formed XML');
  const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'ID' });
  let tree: unknown;
  try {
    tree = parser.parse(body);
  } catch (error) {
    throw new DenyListError("the answer's XML can't be read", { cause: error });
  }
  const read = xmlAnswer.safeParse(tree);
  if (!read.success) throw new DenyListError('the answer is no ApiSyncResponse with a DenyList');
  return { ...NOBODY, viewers: read.data.ApiSyncResponse.DenyList.ID };
}
