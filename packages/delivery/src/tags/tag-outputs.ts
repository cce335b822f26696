import { type FanOutContext, fanOutFor, type OutputKind, type SoundNeeds } from '@sluice/core';
import type { TagFraming } from './framing.js';
import type { MediaSelection } from './selection.js';
import { TagOutput } from './tag-output.js';

/** Few players of FLV know Opus. */
const AS_AAC: SoundNeeds = { to: 'aac', from: ['opus'] };

/** The output kinds of one framing: one for each selection of media, so that each is packed once. */
export class TagOutputs {
  readonly #kinds = new Map<string, OutputKind<TagOutput>>();
  readonly #make: (selection: MediaSelection) => OutputKind<TagOutput>;

  /** @param envelope puts something around each batch, as WebSocket does */
  constructor(options: {
    name: string;
    framing: TagFraming;
    context: FanOutContext;
    envelope?: (units: readonly Buffer[]) => Buffer;
  }) {
    const { name, framing, context, envelope } = options;
    this.#make = (selection) => ({
      name,
      ...(selection.audio ? { sound: AS_AAC } : {}),
      create: (source) => new TagOutput(fanOutFor(source.settings, context, envelope), framing, selection),
    });
  }

  kind(selection: MediaSelection): OutputKind<TagOutput> {
    const key = `${selection.audio} ${selection.video}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const kind = this.#make(selection);
    this.#kinds.set(key, kind);
    return kind;
  }
}
