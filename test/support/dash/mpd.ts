import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** An element of an MPD, with its children in their order. */
export interface MpdElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly MpdElement[];
}

/** A segment as a timeline lists it. Seconds are of the presentation. */
export interface ListedSegment {
  readonly period: string;
  readonly representation: string;
  readonly number: number;
  /** Ticks of media time. */
  readonly time: number;
  readonly duration: number;
  readonly timescale: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly init: string;
  readonly url: string;
}

type Ordered = Readonly<Record<string, unknown>>;
const ATTRIBUTES = ':@';

/** @throws where it isn't well-formed */
export function parseMpd(text: string): MpdElement {
  const validity = XMLValidator.validate(text);
  if (validity !== true) throw new Error(`the MPD isn't well-formed: ${validity.err.msg}`);
  const parser = new XMLParser({ preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '' });
  const [root] = elementsOf(parser.parse(text) as Ordered[]);
  if (root?.name !== 'MPD') throw new Error('the document is no MPD');
  return root;
}

function elementsOf(nodes: readonly Ordered[]): MpdElement[] {
  return nodes.flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== ATTRIBUTES) ?? '';
    // The declaration, and text.
    if (/^[?#]/.test(name)) return [];
    const attributes = (node[ATTRIBUTES] ?? {}) as Record<string, string>;
    return [{ name, attributes, children: elementsOf(node[name] as Ordered[]) }];
  });
}

export const childrenOf = (parent: MpdElement, name: string): readonly MpdElement[] =>
  parent.children.filter((child) => child.name === name);

/** The first child of a name. @throws where there is none */
export function childOf(parent: MpdElement, name: string): MpdElement {
  const [child] = childrenOf(parent, name);
  if (child === undefined) throw new Error(`${parent.name} has no ${name}`);
  return child;
}

/** Of xs:duration, the forms without years and months. */
export function secondsOf(duration: string | undefined): number {
  const [, days, hours, minutes, seconds] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(duration ?? '') ?? [];
  const parts = [days, hours, minutes, seconds].map((part) => Number(part ?? 0));
  if (parts.every((part) => part === 0) && !/\d/.test(duration ?? '')) return Number.NaN;
  return (parts[0] ?? 0) * 86_400 + (parts[1] ?? 0) * 3600 + (parts[2] ?? 0) * 60 + (parts[3] ?? 0);
}

/** All segments that an MPD lists. @param base URL of the MPD */
export function segmentsOf(mpd: MpdElement, base: string): ListedSegment[] {
  return childrenOf(mpd, 'Period').flatMap((period) =>
    childrenOf(period, 'AdaptationSet').flatMap((set) =>
      childrenOf(set, 'Representation').flatMap((own) => segmentsOfOne(period, set, own, base)),
    ),
  );
}

/** What a Representation's own template doesn't say, that of its set does. */
function segmentsOfOne(period: MpdElement, set: MpdElement, own: MpdElement, base: string): ListedSegment[] {
  const common = childOf(set, 'SegmentTemplate');
  const template = { ...common.attributes, ...childrenOf(own, 'SegmentTemplate')[0]?.attributes };
  const representation = own.attributes.id ?? '';
  const timescale = Number(template.timescale);
  const segments: ListedSegment[] = [];
  let number = Number(template.startNumber);
  let time = 0;
  for (const { attributes } of childrenOf(childOf(common, 'SegmentTimeline'), 'S')) {
    const duration = Number(attributes.d);
    if (attributes.t !== undefined) time = Number(attributes.t);
    for (let count = 0; count <= Number(attributes.r ?? 0); count++) {
      const start = secondsOf(period.attributes.start) + (time - Number(template.presentationTimeOffset)) / timescale;
      segments.push({
        period: period.attributes.id ?? '',
        representation,
        number,
        time,
        duration,
        timescale,
        startSeconds: start,
        endSeconds: start + duration / timescale,
        init: new URL(template.initialization ?? '', base).href,
        url: new URL((template.media ?? '').replace('$Number$', String(number)), base).href,
      });
      time += duration;
      number += 1;
    }
  }
  return segments;
}
