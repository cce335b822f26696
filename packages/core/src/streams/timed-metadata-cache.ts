import {
  MediaError,
  type Micros,
  micros,
  parseSpliceInfo,
  type Sample,
  type SpliceMark,
  spliceMarksOf,
  type TimedMetadata,
} from '@sluice/media';

/** Most that is kept: so many, of so many bytes. */
const MOST = 100;
const MOST_BYTES = 1_000_000;
/** A break that doesn't say how long it is to last, and whose end never comes, is forgotten after so long. */
const LONGEST_BREAK = 3_600_000_000;
/** Repetitions of a cue name the same time; senders' clocks are read anew for each. */
const SAME_TIME = 500_000;

/** An event that a cue begins, ends, or is. */
interface CuedEvent extends Pick<SpliceMark, 'event' | 'part' | 'action'> {
  /** From then on it matters no more. */
  until: Micros;
}

interface Kept {
  readonly metadata: TimedMetadata;
  /** Samples that came before it. */
  readonly position: number;
  /** Empty for what matters at its own time only. */
  readonly events: readonly CuedEvent[];
}

/**
 * The timed metadata that an output has to be told of which is made later: what came within the samples that it begins
 * with, and cues of breaks that run, or are to come. Bounded; tags go before cues.
 */
export class TimedMetadataCache {
  #kept: Kept[] = [];
  #samples = 0;
  #latest = micros(0);

  /** A sample went out. */
  note({ dts }: Sample): void {
    this.#samples += 1;
    this.#latest = dts;
  }

  /**
   * Keeps something, at its place on the timeline.
   *
   * @param begin the samples that an output would begin with now: the latest ones
   */
  push(metadata: TimedMetadata, begin: readonly Sample[]): void {
    const events = eventsOf(metadata);
    if (events.length > 0 && this.#isKnown(metadata, events)) return;
    for (const { event, part, action } of events) {
      if (action === 'cancel') this.#kept = this.#kept.filter((kept) => !kept.events.some((of) => of.event === event));
      if (action === 'in') this.#end(event, part, metadata.at);
    }
    this.#kept.push({ metadata, position: this.#samples, events });
    this.#kept = this.#kept.filter((kept) => this.#matters(kept, begin));
    let bytes = this.#kept.reduce((sum, kept) => sum + kept.metadata.data.length, 0);
    while (this.#kept.length > MOST || bytes > MOST_BYTES) {
      const tag = this.#kept.findIndex((kept) => kept.events.length === 0);
      const [dropped] = this.#kept.splice(Math.max(0, tag), 1);
      bytes -= dropped?.metadata.data.length ?? bytes;
    }
  }

  /**
   * Samples with what came between them. What came before the first of them follows on it: formats have no place for it
   * before.
   *
   * @param begin the latest samples, in the order in which they came
   */
  *withSamples(begin: readonly Sample[]): Generator<Sample | TimedMetadata> {
    const kept = this.#kept.filter((each) => this.#matters(each, begin));
    const first = this.#samples - begin.length;
    let next = 0;
    for (const [index, sample] of begin.entries()) {
      yield sample;
      for (let due = kept[next]; due !== undefined && due.position <= first + index + 1; due = kept[next]) {
        yield due.metadata;
        next += 1;
      }
    }
    for (const { metadata } of kept.slice(next)) yield metadata;
  }

  #isKnown({ at }: TimedMetadata, events: readonly CuedEvent[]): boolean {
    const isSame = (a: CuedEvent, b: CuedEvent) => a.event === b.event && a.part === b.part && a.action === b.action;
    return this.#kept.some(
      (kept) =>
        Math.abs(kept.metadata.at - at) <= SAME_TIME &&
        kept.events.length === events.length &&
        kept.events.every((event, index) => isSame(event, events[index] ?? event)),
    );
  }

  #end(event: string, part: string, at: Micros): void {
    for (const kept of this.#kept) {
      for (const of of kept.events) {
        if (of.action === 'out' && of.event === event && of.part === part && kept.metadata.at <= at) of.until = at;
      }
    }
  }

  #matters({ metadata, position, events }: Kept, begin: readonly Sample[]): boolean {
    if (begin.length > 0 && position > this.#samples - begin.length) return true;
    const since = begin[0]?.dts ?? this.#latest;
    return metadata.at >= since || events.some(({ until }) => until >= since);
  }
}

/** What can't be read tells of no event. */
function eventsOf({ kind, at, data }: TimedMetadata): CuedEvent[] {
  if (kind !== 'scte35') return [];
  try {
    return spliceMarksOf(parseSpliceInfo(data)).map(({ event, part, action, planned }) => {
      const lasts = action === 'out' ? (planned ?? LONGEST_BREAK) : action === 'command' ? (planned ?? 0) : 0;
      return { event, part, action, until: micros(at + lasts) };
    });
  } catch (error) {
    if (error instanceof MediaError) return [];
    throw error;
  }
}
