import { type Part, SELECTORS } from './selectors.js';

/** A part of the client that is there. */
export interface FoundPart {
  /** The selector that matched. */
  readonly selector: string;
  readonly text: string;
  /** Whether it takes up room on the page. */
  readonly seen: boolean;
}

/** What was found in a client of BigBlueButton at one moment. */
export interface PageFacts {
  readonly generation: '2.x' | '3.0' | undefined;
  readonly found: ReadonlyMap<Part, FoundPart>;
  /** What plays sound from elsewhere: tracks that are live, and how far each has been played, in seconds. */
  readonly sounds: readonly { readonly id: string; readonly isNamed: boolean; readonly at: number }[];
  /** What plays pictures from elsewhere: how many each has shown. */
  readonly videos: readonly { readonly id: string; readonly frames: number }[];
}

const PARTS = Object.keys(SELECTORS) as Part[];
const MOST_TEXT = 200;

/** Reads what the probe in the page gave. The page may be anybody's: what isn't as it should be is left out. */
export function readFacts(value: unknown): PageFacts {
  const given = objectOf(value);
  const found = new Map<Part, FoundPart>();
  for (const part of PARTS) {
    const { index, text, seen } = objectOf(objectOf(given.found)[part]);
    const selector = typeof index === 'number' ? SELECTORS[part][index] : undefined;
    if (selector !== undefined) found.set(part, { selector, text: textOf(text), seen: seen === true });
  }
  const { generation } = given;
  return {
    generation: generation === '2.x' || generation === '3.0' ? generation : undefined,
    found,
    sounds: listOf(given.sounds).map(({ id, isNamed, at }) => ({
      id: textOf(id),
      isNamed: isNamed === true,
      at: numberOf(at),
    })),
    videos: listOf(given.videos).map(({ id, frames }) => ({ id: textOf(id), frames: numberOf(frames) })),
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** On one line: it goes into logs. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, MOST_TEXT) : '';
}
