import { malformed } from '../errors.js';

/** What a side can do, §3.2.1.1, Table 6. */
export const CAPABILITY = {
  tsbpdSend: 0x01,
  tsbpdReceive: 0x02,
  crypt: 0x04,
  tooLateDrop: 0x08,
  periodicNak: 0x10,
  retransmitFlag: 0x20,
  stream: 0x40,
  packetFilter: 0x80,
} as const;

/** The content of HSREQ and HSRSP, §3.2.1.1. */
export interface Capabilities {
  /** `0x010501` is 1.5.1. */
  readonly version: number;
  readonly flags: number;
  /** Milliseconds that this side delays what it receives. */
  readonly receiverLatency: number;
  /** Milliseconds that this side wants the other one to delay at least. */
  readonly senderLatency: number;
}

const BYTES = 12;

/** @throws {SrtError} `malformed` */
export function readCapabilities(content: Buffer): Capabilities {
  if (content.length < BYTES) throw malformed(`HSREQ or HSRSP of ${content.length} bytes; ${BYTES} are needed`);
  return {
    version: content.readUInt32BE(0),
    flags: content.readUInt32BE(4),
    receiverLatency: content.readUInt16BE(8),
    senderLatency: content.readUInt16BE(10),
  };
}

export function writeCapabilities({ version, flags, receiverLatency, senderLatency }: Capabilities): Buffer {
  const content = Buffer.allocUnsafe(BYTES);
  content.writeUInt32BE(version, 0);
  content.writeUInt32BE(flags, 4);
  content.writeUInt16BE(receiverLatency, 8);
  content.writeUInt16BE(senderLatency, 10);
  return content;
}
