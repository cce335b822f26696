/** Half of what a NATS server takes in one message by default (1 MiB), so that there is room for what is around it. */
const MOST_BYTES = 512 * 1024;

/**
 * Parts of a list, each small enough for one message as JSON; at least one, and each item in its order. An item that is
 * too large by itself is left out: its message would be refused, and the connection ended.
 */
export function partsOf<T>(items: readonly T[], mostBytes = MOST_BYTES): T[][] {
  const parts: T[][] = [];
  let part: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (size > mostBytes) continue;
    if (bytes + size > mostBytes) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(item);
    bytes += size;
  }
  parts.push(part);
  return parts;
}
