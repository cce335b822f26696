import { type HandshakeMessage, writeFragments } from './handshake-message.js';
import { CONTENT, type DtlsRecord, RECORD_HEADER_BYTES, recordNumber, writeRecord } from './record.js';
import { type DirectionKey, openRecord, sealRecord } from './record-protection.js';

/** IPv6's least MTU leaves this much, with room for a relay's headers. */
const MOST_DATAGRAM_BYTES = 1200;
/** What GCM adds to a record. */
const SEAL_BYTES = 24;
const WINDOW = 64;

/** What one flight is made of. */
export type FlightItem =
  | { readonly kind: 'message'; readonly message: HandshakeMessage; readonly epoch: 0 | 1 }
  | { readonly kind: 'change-cipher-spec' };

/** Numbers, seals and opens records, RFC 6347 §4.1. */
export class RecordLayer {
  readonly #send: (datagram: Buffer) => void;
  readonly #sequences = [0, 0];
  readonly #seen: Set<number>[] = [new Set(), new Set()];
  readonly #highest = [-1, -1];
  #sendKey: DirectionKey | undefined;
  #receiveKey: DirectionKey | undefined;

  constructor(send: (datagram: Buffer) => void) {
    this.#send = send;
  }

  setKeys(keys: { readonly send: DirectionKey; readonly receive: DirectionKey }): void {
    this.#sendKey = keys.send;
    this.#receiveKey = keys.receive;
  }

  get hasKeys(): boolean {
    return this.#receiveKey !== undefined;
  }

  /** Sends a flight, in as few datagrams as it fits into. */
  sendFlight(flight: readonly FlightItem[]): void {
    let datagram: Buffer[] = [];
    let length = 0;
    const flush = (): void => {
      if (length > 0) this.#send(Buffer.concat(datagram));
      datagram = [];
      length = 0;
    };
    for (const item of flight) {
      for (const record of this.#recordsOf(item)) {
        if (length + record.length > MOST_DATAGRAM_BYTES) flush();
        datagram.push(record);
        length += record.length;
      }
    }
    flush();
  }

  sendAlert(level: number, description: number): void {
    const epoch = this.#sendKey === undefined ? 0 : 1;
    this.#send(this.#record(CONTENT.alert, epoch, Buffer.from([level, description])));
  }

  /** The content of a record that is authentic and new; undefined for all others. */
  open(record: DtlsRecord): Buffer | undefined {
    const { epoch, sequence, fragment } = record;
    if (epoch > 1 || !this.#isNew(epoch, sequence)) return undefined;
    if (epoch === 1 && this.#receiveKey === undefined) return undefined;
    const content = epoch === 0 || this.#receiveKey === undefined ? fragment : openRecord(this.#receiveKey, record);
    if (content !== undefined) this.#note(epoch, sequence);
    return content;
  }

  *#recordsOf(item: FlightItem): Iterable<Buffer> {
    if (item.kind === 'change-cipher-spec') {
      yield this.#record(CONTENT.changeCipherSpec, 0, Buffer.from([1]));
      return;
    }
    const most = MOST_DATAGRAM_BYTES - RECORD_HEADER_BYTES - SEAL_BYTES;
    for (const fragment of writeFragments(item.message, most)) {
      yield this.#record(CONTENT.handshake, item.epoch, fragment);
    }
  }

  #record(type: number, epoch: 0 | 1, plain: Buffer): Buffer {
    const sequence = this.#sequences[epoch] ?? 0;
    this.#sequences[epoch] = sequence + 1;
    const number = recordNumber(epoch, sequence);
    const key = this.#sendKey;
    return writeRecord(type, number, epoch === 0 || key === undefined ? plain : sealRecord(key, type, number, plain));
  }

  /** RFC 6347 §4.1.2.6 */
  #isNew(epoch: number, sequence: number): boolean {
    return sequence > (this.#highest[epoch] ?? -1) - WINDOW && this.#seen[epoch]?.has(sequence) === false;
  }

  #note(epoch: number, sequence: number): void {
    const seen = this.#seen[epoch];
    if (seen === undefined) return;
    seen.add(sequence);
    const highest = Math.max(this.#highest[epoch] ?? -1, sequence);
    this.#highest[epoch] = highest;
    if (seen.size > 2 * WINDOW) for (const old of seen) if (old <= highest - WINDOW) seen.delete(old);
  }
}
