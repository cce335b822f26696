import { SrtError } from '../errors.js';
import { CAPABILITY, type Capabilities, readCapabilities } from '../wire/capabilities.js';
import { readExtensionText } from '../wire/extension-text.js';
import { type FecConfig, readFilterConfig } from '../wire/filter-config.js';
import { EXTENSION, type Handshake, type HandshakeExtension } from '../wire/handshake.js';
import type { RefreshPolicy } from './keys.js';

/** What this side wants of a connection. */
export interface SrtOptions {
  /** Milliseconds that what comes is delayed at least. */
  readonly receiveLatency: number;
  /** Milliseconds that the peer is to delay at least. */
  readonly sendLatency: number;
  /** Largest datagram with IP and UDP headers. */
  readonly mtu: number;
  /** Packets that may be under way. */
  readonly flowWindow: number;
  /** Bytes a second that are sent at most, repetitions included; undefined: no limit. */
  readonly maxBandwidth?: number | undefined;
  /** As libsrt writes it: `fec,cols:10,rows:5`. A listener takes what its callers want where it has none itself. */
  readonly packetFilter?: string | undefined;
  /** When a side that begins a connection changes its key; after 2^24 packets where it is missing. */
  readonly keyRefresh?: RefreshPolicy | undefined;
}

export const DEFAULT_OPTIONS: SrtOptions = { receiveLatency: 120, sendLatency: 0, mtu: 1500, flowWindow: 8192 };

/** What this stack says of itself: 1.5.0 in its abilities. */
export const OWN_VERSION = 0x01_05_00;
export const OWN_FLAGS =
  CAPABILITY.tsbpdSend |
  CAPABILITY.tsbpdReceive |
  CAPABILITY.crypt |
  CAPABILITY.tooLateDrop |
  CAPABILITY.periodicNak |
  CAPABILITY.retransmitFlag |
  CAPABILITY.packetFilter;

/** IP and UDP headers. */
export const UDP_OVERHEAD = 28;

/** What the extensions of a conclusion say. */
export interface ConclusionExtensions {
  readonly capabilities: Capabilities | undefined;
  readonly keyMaterial: Buffer | undefined;
  readonly streamId: string;
  readonly congestion: string;
  readonly filter: string;
  readonly group: boolean;
}

/** @throws {SrtError} `malformed` */
export function readConclusionExtensions({ extensions }: Handshake): ConclusionExtensions {
  const find = (...types: number[]) => extensions.find(({ type }) => types.includes(type))?.content;
  const capabilities = find(EXTENSION.hsreq, EXTENSION.hsrsp);
  const text = (type: number) => readExtensionText(find(type) ?? Buffer.alloc(0));
  return {
    capabilities: capabilities && readCapabilities(capabilities),
    keyMaterial: find(EXTENSION.kmreq, EXTENSION.kmrsp),
    streamId: text(EXTENSION.streamId),
    congestion: text(EXTENSION.congestion),
    filter: text(EXTENSION.filter),
    group: find(EXTENSION.group) !== undefined,
  };
}

export const extension = (type: number, content: Buffer): HandshakeExtension => ({ type, content });

/**
 * What both sides' wishes for a packet filter come to. A side that has none takes the other's; one that has one insists.
 *
 * @throws {SrtError} `unsupported` where they do
 */
export function agreedFilter(own: string | undefined, peers: string): FecConfig | undefined {
  if (own === undefined) return peers === '' ? undefined : readFilterConfig(peers);
  const settings = new Set([...own.split(','), ...peers.split(',')].map((part) => part.trim()));
  const keys = new Set([...settings].map((setting) => setting.split(':')[0]));
  if (keys.size < settings.size) {
    throw new SrtError('unsupported', `the packet filter "${own}" doesn't go with the peer's "${peers}"`);
  }
  const [name = '', ...rest] = own.split(',').map((part) => part.trim());
  return readFilterConfig([name, ...new Set([...rest, ...settings].filter((part) => part !== name))].join(','));
}
