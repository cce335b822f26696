import { childrenOf, type ListedSegment, type MpdElement, secondsOf, segmentsOf } from './mpd.js';

/** Order of children and their least number, ISO 23009-1 Annex B. */
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  MPD: ['ServiceDescription', 'Period', 'UTCTiming'],
  Period: ['AdaptationSet'],
  AdaptationSet: ['ProducerReferenceTime', 'Role', 'SupplementalProperty', 'SegmentTemplate', 'Representation'],
  Representation: ['AudioChannelConfiguration', 'SegmentTemplate'],
  SegmentTemplate: ['SegmentTimeline'],
  SegmentTimeline: ['S'],
  ServiceDescription: ['Latency', 'PlaybackRate'],
  ProducerReferenceTime: ['UTCTiming'],
};

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  MPD: ['profiles', 'minBufferTime', 'availabilityStartTime', 'publishTime', 'xmlns'],
  Period: ['id', 'start'],
  Representation: ['id', 'bandwidth', 'codecs'],
  SegmentTemplate: ['media', 'initialization'],
  SupplementalProperty: ['schemeIdUri', 'value'],
  S: ['d'],
  UTCTiming: ['schemeIdUri', 'value'],
  Role: ['schemeIdUri'],
  AudioChannelConfiguration: ['schemeIdUri'],
  ProducerReferenceTime: ['id', 'wallClockTime', 'presentationTime'],
};

const WHOLE = [
  'bandwidth',
  'timescale',
  'startNumber',
  't',
  'd',
  'presentationTimeOffset',
  'width',
  'height',
  'target',
];
const DURATIONS = [
  'minimumUpdatePeriod',
  'minBufferTime',
  'timeShiftBufferDepth',
  'suggestedPresentationDelay',
  'maxSegmentDuration',
  'mediaPresentationDuration',
  'start',
  'duration',
];
const TIMES = ['availabilityStartTime', 'publishTime', 'wallClockTime'];
const NAMESPACE = 'urn:mpeg:dash:schema:mpd:2011';
/** Seconds; what is written in milliseconds is rounded. */
const ROUNDING = 0.0015;

/** What is wrong with a live MPD by ISO 23009-1; empty where nothing is. */
export function faultsOf(mpd: MpdElement, base: string): string[] {
  return [...elementFaults(mpd), ...mpdFaults(mpd), ...timelineFaults(mpd, base)];
}

function elementFaults(element: MpdElement): string[] {
  const { name, attributes, children } = element;
  const faults: string[] = [];
  const order = CHILDREN[name] ?? [];
  const places = children.map((child) => order.indexOf(child.name));
  for (const [at, place] of places.entries()) {
    if (place < 0) faults.push(`${name} has no child ${children[at]?.name}`);
    else if (place < Math.max(...places.slice(0, at + 1))) faults.push(`${children[at]?.name} is out of its order`);
  }
  for (const required of REQUIRED[name] ?? []) {
    if (attributes[required] === undefined) faults.push(`${name} has no @${required}`);
  }
  for (const [key, value] of Object.entries(attributes)) {
    if (WHOLE.includes(key) && !/^\d+$/.test(value)) faults.push(`${name}@${key} is ${value}`);
    if (DURATIONS.includes(key) && Number.isNaN(secondsOf(value))) faults.push(`${name}@${key} is ${value}`);
    if (TIMES.includes(key) && new Date(value).toISOString() !== value) faults.push(`${name}@${key} is ${value}`);
  }
  for (const template of name === 'AdaptationSet' ? childrenOf(element, 'SegmentTemplate') : []) {
    for (const required of ['timescale', 'startNumber']) {
      if (template.attributes[required] === undefined) faults.push(`the template of a set has no @${required}`);
    }
  }
  return [...faults, ...children.flatMap(elementFaults)];
}

function mpdFaults(mpd: MpdElement): string[] {
  const { attributes } = mpd;
  const faults: string[] = [];
  const need = (holds: boolean, what: string) => {
    if (!holds) faults.push(what);
  };
  need(attributes.xmlns === NAMESPACE, `the namespace is ${attributes.xmlns}`);
  need(attributes.type === 'dynamic', `the type is ${attributes.type}`);
  const endless = attributes.minimumUpdatePeriod !== undefined;
  need(endless !== (attributes.mediaPresentationDuration !== undefined), 'it is neither updated nor over, or both');
  const published = Date.parse(attributes.publishTime ?? '');
  need(published >= Date.parse(attributes.availabilityStartTime ?? ''), 'it was published before it began');
  const periods = childrenOf(mpd, 'Period');
  need(periods.length > 0, 'there is no Period');
  need(unique(periods.map((period) => period.attributes.id)), 'Period@id is not unique');
  for (const period of periods) {
    const sets = childrenOf(period, 'AdaptationSet');
    need(sets.length > 0, 'a Period has no AdaptationSet');
    need(unique(sets.map((set) => set.attributes.id)), 'AdaptationSet@id is not unique');
    const representations = sets.flatMap((set) => childrenOf(set, 'Representation'));
    need(representations.length >= sets.length, 'an AdaptationSet has no Representation');
    need(unique(representations.map(({ attributes: { id } }) => id)), 'Representation@id is not unique');
    for (const template of sets.flatMap((set) => childrenOf(set, 'SegmentTemplate'))) {
      need(template.attributes.media?.includes('$Number$') === true, 'the template has no $Number$');
      const isPartial = template.attributes.availabilityTimeComplete === 'false';
      need(!isPartial || Number(template.attributes.availabilityTimeOffset) > 0, 'there is no availabilityTimeOffset');
    }
  }
  return faults;
}

function timelineFaults(mpd: MpdElement, base: string): string[] {
  const faults: string[] = [];
  const segments = segmentsOf(mpd, base);
  const longest = secondsOf(mpd.attributes.maxSegmentDuration);
  const periods = childrenOf(mpd, 'Period');
  for (const [at, period] of periods.entries()) {
    const own = segments.filter((segment) => segment.period === period.attributes.id);
    const next = periods[at + 1];
    const start = secondsOf(period.attributes.start);
    const end = start + secondsOf(period.attributes.duration);
    if (next !== undefined) {
      if (!(end <= secondsOf(next.attributes.start) + ROUNDING)) faults.push(`a Period ends after the next begins`);
      for (const segment of own) {
        if (segment.endSeconds > end + ROUNDING) faults.push(`a segment ends after its Period: ${segment.url}`);
      }
    }
    for (const representation of new Set(own.map((segment) => segment.representation))) {
      faults.push(...overlaps(own.filter((segment) => segment.representation === representation)));
    }
    for (const { endSeconds, startSeconds, url } of own) {
      if (endSeconds - startSeconds > longest + ROUNDING) faults.push(`it is longer than maxSegmentDuration: ${url}`);
      if (startSeconds < start - ROUNDING) faults.push(`it begins before its Period: ${url}`);
    }
  }
  return faults;
}

function overlaps(segments: readonly ListedSegment[]): string[] {
  return segments.flatMap(({ time, duration, url }, at) => {
    const next = segments[at + 1];
    if (duration <= 0) return [`it has no duration: ${url}`];
    return next !== undefined && time + duration > next.time ? [`it overlaps with the next: ${url}`] : [];
  });
}

/**
 * What an update may not change, ISO 23009-1 §5.4: when the presentation began, when a Period did, and which media a URL
 * stands for.
 */
export function updateFaults(before: MpdElement, after: MpdElement, base: string): string[] {
  const faults: string[] = [];
  const { availabilityStartTime, publishTime = '' } = before.attributes;
  if (after.attributes.availabilityStartTime !== availabilityStartTime)
    faults.push('availabilityStartTime has changed');
  if ((after.attributes.publishTime ?? '') < publishTime) faults.push('publishTime went back');
  for (const period of childrenOf(before, 'Period')) {
    const same = childrenOf(after, 'Period').find(({ attributes }) => attributes.id === period.attributes.id);
    if (same !== undefined && same.attributes.start !== period.attributes.start)
      faults.push('Period@start has changed');
  }
  const now = new Map(segmentsOf(after, base).map((segment) => [segment.url, segment]));
  for (const { url, startSeconds, timescale } of segmentsOf(before, base)) {
    const then = now.get(url);
    // Those to come are put where they are expected: right to a frame of sound.
    const tolerance = url.includes('-a') ? 1024 / timescale + ROUNDING : ROUNDING;
    if (then !== undefined && Math.abs(then.startSeconds - startSeconds) > tolerance) {
      faults.push(`${url} was at ${startSeconds} s and is at ${then.startSeconds} s`);
    }
  }
  return faults;
}

const unique = (values: readonly (string | undefined)[]): boolean => new Set(values).size === values.length;
