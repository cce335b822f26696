const MAGIC = { probe: Buffer.from('sluice probe 1\r\n'), echo: Buffer.from('sluice echo  1\r\n') } as const;
const MAGIC_BYTES = 16;
const TOKEN_BYTES = 16;

/** Bytes of the shortest message, and of what goes over TCP. */
export const LEAST_PROBE_BYTES = MAGIC_BYTES + TOKEN_BYTES;
/** As large as a datagram of SRT gets: its payload of seven TS packets, and its header. */
export const FULL_PROBE_BYTES = 1332;

/** What `--probe` sends, and `--listen` sends back. */
export interface ProbeMessage {
  readonly kind: keyof typeof MAGIC;
  /** 16 bytes that only who saw the probe knows. */
  readonly token: Buffer;
}

/** @param size of the whole message, padded with zeros */
export function writeProbe({ kind, token }: ProbeMessage, size = LEAST_PROBE_BYTES): Buffer {
  const bytes = Buffer.alloc(Math.max(size, LEAST_PROBE_BYTES));
  MAGIC[kind].copy(bytes);
  token.copy(bytes, MAGIC_BYTES, 0, TOKEN_BYTES);
  return bytes;
}

/** @returns undefined for what is none */
export function readProbe(bytes: Buffer): ProbeMessage | undefined {
  if (bytes.length < LEAST_PROBE_BYTES) return undefined;
  const magic = bytes.subarray(0, MAGIC_BYTES);
  const token = bytes.subarray(MAGIC_BYTES, LEAST_PROBE_BYTES);
  if (magic.equals(MAGIC.probe)) return { kind: 'probe', token };
  return magic.equals(MAGIC.echo) ? { kind: 'echo', token } : undefined;
}

/** The answer to a probe: as long as that, never longer, so that nobody can be flooded by it. */
export function echoOf(bytes: Buffer): Buffer | undefined {
  const probe = readProbe(bytes);
  return probe?.kind === 'probe' ? writeProbe({ kind: 'echo', token: probe.token }, bytes.length) : undefined;
}
