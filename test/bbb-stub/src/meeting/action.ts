import { z } from 'zod';

/** Whom it is for; everybody where it isn't said. */
const userID = z.string().optional();
const text = z.string().default('Good morning, everybody.');

/** What can be made to happen in a meeting, by {@link Meeting.act} or by `POST /stub/meetings/ID/DO` with the rest as JSON. */
export const action = z.discriminatedUnion('do', [
  /** The meeting's end, for all. */
  z.strictObject({ do: z.literal('end'), delayMs: z.number().int().min(0).default(0) }),
  /** Its end and its start, with another createTime. */
  z.strictObject({ do: z.literal('restart') }),
  z.strictObject({ do: z.literal('kick'), userID }),
  /** Out, as who did nothing for too long. */
  z.strictObject({ do: z.literal('time-out'), userID }),
  /** The client's error screen. */
  z.strictObject({ do: z.literal('error'), code: z.number().int().default(500), userID }),
  /** The client's connection breaks, and can't be made again before `ms` are over. */
  z.strictObject({ do: z.literal('disconnect'), ms: z.number().int().min(0).default(2000), userID }),
  /** The tab's process crashes. */
  z.strictObject({ do: z.literal('crash'), userID }),
  /** The tab stops answering. */
  z.strictObject({ do: z.literal('hang'), ms: z.number().int().min(0).default(5000), userID }),
  /** Out of the lobby and into the meeting. */
  z.strictObject({ do: z.literal('admit'), userID }),
  z.strictObject({ do: z.literal('deny'), userID }),
  z.strictObject({ do: z.literal('chat'), text, from: z.string().default('Alex') }),
  z.strictObject({ do: z.literal('toast'), text, userID }),
  z.strictObject({
    do: z.literal('modal'),
    modal: z.enum(['poll', 'breakout', 'recording', 'session-details']),
    userID,
  }),
  /** Something transparent that takes all clicks. */
  z.strictObject({ do: z.literal('overlay'), ms: z.number().int().min(0).default(2000), userID }),
  z.strictObject({ do: z.literal('picture'), mode: z.enum(['moving', 'frozen', 'black']), userID }),
  z.strictObject({ do: z.literal('sound'), mode: z.enum(['tone', 'silent', 'lost']), userID }),
]);
export type Action = z.input<typeof action>;
