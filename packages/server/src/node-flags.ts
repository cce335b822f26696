/**
 * How Node is started for the server. Requests that wait (Low-Latency HLS has one or two of each viewer) outlive V8's
 * default young generation of 16 MiB and are copied over and over: with 2,000 viewers that took a third of a core.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=64'];
