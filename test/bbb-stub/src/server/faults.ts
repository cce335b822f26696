import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

/** How a call goes wrong. */
export const fault = z.strictObject({
  /** Name of the call, as in `getMeetingInfo`; the empty one is the API's address itself, `*` any. */
  call: z.string().default('*'),
  /**
   * `slow`: answered after `ms`. `error`: HTTP status 500 and a page. `malformed`: XML that breaks off. `page`: status
   * 200 and HTML, as a proxy's. `hang`: no answer. `reset`: the connection breaks.
   */
  kind: z.enum(['slow', 'error', 'malformed', 'page', 'hang', 'reset']),
  ms: z.number().int().min(0).default(2000),
  status: z.number().int().min(400).max(599).default(500),
  /** For so many calls. */
  times: z.number().int().min(1).default(1),
});
export type Fault = z.input<typeof fault>;
type Settled = z.output<typeof fault>;

/** What is to go wrong with the calls that come. */
export class Faults {
  readonly #waiting: { readonly fault: Settled; left: number }[] = [];

  /** @throws {ZodError} */
  add(wanted: Fault): void {
    const settled = fault.parse(wanted);
    this.#waiting.push({ fault: settled, left: settled.times });
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** The one for a call, which is used up by it. A slow one has been waited for. */
  async take(call: string): Promise<Exclude<Settled['kind'], 'slow' | 'error'> | { status: number } | undefined> {
    const one = this.#waiting.find(({ fault: { call: of }, left }) => left > 0 && (of === '*' || of === call));
    if (one === undefined) return undefined;
    one.left -= 1;
    if (one.fault.kind === 'slow') {
      await pause(one.fault.ms);
      return undefined;
    }
    return one.fault.kind === 'error' ? { status: one.fault.status } : one.fault.kind;
  }
}
