import { domainToASCII } from 'node:url';
import type { CallOptions } from './client/caller.js';
import { SrtError } from './errors.js';
import type { SrtOptions } from './session/terms.js';

/** How a URL's peer is reached. */
export interface SrtTarget {
  readonly mode: 'caller' | 'rendezvous';
  readonly call: CallOptions;
  /** In rendezvous, where it isn't the peer's own number. */
  readonly localPort?: number;
  /** `srt://host:port`, for logs: nothing in it is secret. */
  readonly name: string;
}

const PARAMETERS: ReadonlySet<string> = new Set([
  'mode',
  'port',
  'streamid',
  'passphrase',
  'pbkeylen',
  'latency',
  'rcvlatency',
  'peerlatency',
  'maxbw',
  'packetfilter',
  'conntimeo',
  'transtype',
]);
const LONGEST_LATENCY = 60_000;

/**
 * Reads an SRT URL with the parameters that libsrt's tools take:
 * `srt://host:port?mode=caller&streamid=…&passphrase=…&pbkeylen=16&latency=120&packetfilter=fec,cols:10`. Latencies are
 * milliseconds, `maxbw` bytes a second.
 *
 * @throws {SrtError} `unsupported` with what is wrong about it; no value that may be secret is repeated
 */
export function readSrtUrl(text: string): SrtTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'srt:') throw unsupported('it is to be as in srt://host:port?streamid=publish:live/show');
  const { searchParams: query } = url;
  const [host, port] = [url.hostname.replace(/^\[|\]$/g, ''), Number(url.port)];
  if (host === '' || port === 0) throw unsupported('it names no host, or no port');
  for (const key of query.keys()) {
    if (!PARAMETERS.has(key)) throw unsupported(`"${key}" is no parameter; ${[...PARAMETERS].join(', ')} are`);
  }
  const mode = query.get('mode') ?? 'caller';
  if (mode !== 'caller' && mode !== 'rendezvous')
    throw unsupported(`mode is to be caller or rendezvous, not "${mode}"`);
  const transtype = query.get('transtype') ?? 'live';
  if (transtype !== 'live') throw unsupported(`transtype is to be live, not "${transtype}"`);
  const localPort = whole(query, 'port', 1, 65_535);
  const timeoutMs = whole(query, 'conntimeo', 100, LONGEST_LATENCY);
  const streamId = query.get('streamid') ?? undefined;
  const passphrase = query.get('passphrase') ?? undefined;
  const keyLength = keyLengthOf(query.get('pbkeylen'));
  return {
    mode,
    name: `srt://${url.host}`,
    call: {
      host: domainToASCII(host) || host,
      port,
      options: optionsOf(query),
      ...(streamId === undefined ? {} : { streamId }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(keyLength === undefined ? {} : { keyLength }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
    ...(localPort === undefined ? {} : { localPort }),
  };
}

function optionsOf(query: URLSearchParams): Partial<SrtOptions> {
  const latency = whole(query, 'latency', 0, LONGEST_LATENCY);
  const receiveLatency = whole(query, 'rcvlatency', 0, LONGEST_LATENCY) ?? latency;
  const sendLatency = whole(query, 'peerlatency', 0, LONGEST_LATENCY) ?? latency;
  const maxBandwidth = whole(query, 'maxbw', 10_000, 1_000_000_000);
  const packetFilter = query.get('packetfilter') ?? undefined;
  return {
    ...(receiveLatency === undefined ? {} : { receiveLatency }),
    ...(sendLatency === undefined ? {} : { sendLatency }),
    ...(maxBandwidth === undefined ? {} : { maxBandwidth }),
    ...(packetFilter === undefined ? {} : { packetFilter }),
  };
}

/** In bytes, as libsrt has it, or in bits. */
function keyLengthOf(text: string | null): 128 | 192 | 256 | undefined {
  if (text === null) return undefined;
  const bits = { 16: 128, 24: 192, 32: 256, 128: 128, 192: 192, 256: 256 } as const;
  const length = bits[text as unknown as keyof typeof bits];
  if (length === undefined) throw unsupported(`pbkeylen is to be 16, 24 or 32, not "${text}"`);
  return length;
}

function whole(query: URLSearchParams, key: string, least: number, most: number): number | undefined {
  const text = query.get(key);
  if (text === null) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw unsupported(`${key} is to be a whole number from ${least} to ${most}, not "${text}"`);
}

const unsupported = (what: string) => new SrtError('unsupported', `the SRT URL can't be used: ${what}`);
