/** Reasons are sentences; a metric needs few words for many of them. The first that fits counts. */
const CLASSES: readonly (readonly [RegExp, string])[] = [
  [/^stalled/, 'stalled'],
  [/^too slow/, 'too-slow'],
  [/^banned/, 'banned'],
  [/credential|revoked|expired/, 'credential'],
  [/\(by |^cut off by/, 'kicked'],
  [/shared/, 'shared'],
  [/going down/, 'shutdown'],
  [/replaced/, 'replaced'],
  [/time-out|nothing for|connection lost/, 'connection-lost'],
  [/left|closed by the client|deleteStream|unpublish|closeStream/i, 'left'],
  [/not live|ended|over|head request|known/, 'ended'],
];

/** The class of a session's end, for a label. */
export function closeClass(reason: string): string {
  return CLASSES.find(([pattern]) => pattern.test(reason))?.[1] ?? 'other';
}
