import { type FanOutContext, fanOutFor, type Logger, type OutputKind, type SoundNeeds } from '@sluice/core';
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
    log: Logger;
    envelope?: (units: readonly Buffer[]) => Buffer;
  }) {
    const { name, framing, context, log, envelope } = options;
    this.#make = (selection) => ({
      name,
      ...(selection.audio ? { sound: AS_AAC } : {}),
      create: ({ path, settings }) =>
        new TagOutput(fanOutFor(settings, context, envelope), framing, selection, ({ codec }) => {
          const fix = 'let the encoder send H.264; browsers that publish can be told to, by setCodecPreferences';
          log.warn({ path, codec, fix }, `${name} can't carry ${codec}`);
        }),
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
