import { randomBytes, randomInt } from 'node:crypto';
import { PASSPHRASE_LENGTH } from '../crypto/key-exchange.js';
import { SrtError } from '../errors.js';
import type { SrtSocket } from '../server/srt-socket.js';
import { CallerHandshake } from '../session/caller-handshake.js';
import { RendezvousHandshake } from '../session/rendezvous-handshake.js';
import { DEFAULT_OPTIONS, type SrtOptions } from '../session/terms.js';
import type { SrtTarget } from '../srt-url.js';
import { MAX_STREAM_ID_BYTES } from '../wire/extension-text.js';
import { dial } from './dial.js';

/**
 * Goes where a URL says.
 *
 * @throws {SrtError} as `srtCall` does
 */
export function srtConnect({ mode, call, localPort }: SrtTarget, signal?: AbortSignal): Promise<SrtSocket> {
  if (mode === 'caller') return srtCall({ ...call, signal });
  return srtRendezvous({ ...call, signal, ...(localPort === undefined ? {} : { localPort }) });
}

/** What a call and a rendezvous have in common. */
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly passphrase?: string | undefined;
  /** Bits of the key: 128, 192 or 256. */
  readonly keyLength?: 128 | 192 | 256 | undefined;
  readonly options?: Partial<SrtOptions>;
  readonly timeoutMs?: number;
  /** Gives the call up before it stands. */
  readonly signal?: AbortSignal | undefined;
}

export interface CallOptions extends ConnectOptions {
  readonly streamId?: string | undefined;
}

export interface RendezvousCallOptions extends ConnectOptions {
  /** The peer's own number, where it is missing: both sides know it. */
  readonly localPort?: number;
}

const DEFAULT_TIMEOUT_MS = 3000;

/**
 * Calls a listener.
 *
 * @throws {SrtError} `rejected`, with the listener's reason; `time-out`; `unsupported`
 */
export async function srtCall(call: CallOptions): Promise<SrtSocket> {
  const { host, port, streamId = '', timeoutMs = DEFAULT_TIMEOUT_MS, signal } = call;
  checkStreamId(streamId);
  const secret = secretOf(call);
  return dial({
    host,
    port,
    localPort: 0,
    streamId,
    timeoutMs,
    signal,
    handshake: (own) => new CallerHandshake({ ...own, ...secret, streamId }),
  });
}

/**
 * Meets a peer that calls at the same time: for two sides behind firewalls that let through what answers.
 *
 * @throws {SrtError} `rejected`, `time-out`, `unsupported`; what the system says of the port
 */
export async function srtRendezvous(call: RendezvousCallOptions): Promise<SrtSocket> {
  const { host, port, localPort = port, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = call;
  const secret = secretOf(call);
  const cookie = randomInt(1, 0xffff_ffff);
  return dial({
    host,
    port,
    localPort,
    streamId: '',
    timeoutMs,
    signal,
    handshake: (own) => new RendezvousHandshake({ ...own, ...secret, cookie }),
  });
}

function secretOf({ passphrase, keyLength = 128, options }: ConnectOptions) {
  const { least, most } = PASSPHRASE_LENGTH;
  if (passphrase !== undefined && (passphrase.length < least || passphrase.length > most)) {
    throw new SrtError(
      'unsupported',
      `the passphrase has ${passphrase.length} characters; ${least} to ${most} are possible`,
    );
  }
  return { own: { ...DEFAULT_OPTIONS, ...options }, passphrase, keyBytes: keyLength / 8, random: randomBytes };
}

function checkStreamId(streamId: string): void {
  const bytes = Buffer.byteLength(streamId);
  if (bytes > MAX_STREAM_ID_BYTES) {
    throw new SrtError('unsupported', `the stream id has ${bytes} bytes; ${MAX_STREAM_ID_BYTES} are possible`);
  }
}
