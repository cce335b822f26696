import { type HandshakeMessage, writeFragments } from './handshake-message.js';
import { CONTENT, type DtlsRecord, RECORD_HEADER_BYTES, recordNumber, writeRecord } from './record.js';
import { type DirectionKey, openRecord, sealRecord } from './record-protection.js';
import { ReplayWindow } from './replay-window.js';

/** IPv6's least MTU leaves this much, with room for a relay's headers. */
const MOST_DATAGRAM_BYTES = 1200;
/** What GCM adds to a record. */
const SEAL_BYTES = 24;

/** What one flight is made of. */
export type FlightItem =
  | { readonly kind: 'message'; readonly message: HandshakeMessage; readonly epoch: 0 | 1 }
  | { readonly kind: 'change-cipher-spec' };

/** Numbers, seals and opens records, RFC 6347 §4.1. */
export class RecordLayer {
  readonly #send: (datagram: Buffer) => void;
  readonly #sequences = [0, 0];
  readonly #window = new ReplayWindow();
  #sendKey: DirectionKey | undefined;
  #hasChangedSpec = false;
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

  /** Seals it only after our ChangeCipherSpec: before, the peer could not read it. */
  sendAlert(level: number, description: number): void {
    this.#send(this.#record(CONTENT.alert, this.#hasChangedSpec ? 1 : 0, Buffer.from([level, description])));
  }

  /**
   * The content of a record; undefined where it is not authentic, or came before. What isn't sealed is taken as it is:
   * its number proves nothing, and must not shut out others.
   */
  open(record: DtlsRecord): Buffer | undefined {
    const { epoch, sequence, fragment } = record;
    if (epoch === 0) return fragment;
    if (epoch !== 1 || this.#receiveKey === undefined || !this.#window.isNew(sequence)) return undefined;
    const content = openRecord(this.#receiveKey, record);
    if (content !== undefined) this.#window.note(sequence);
    return content;
  }

  *#recordsOf(item: FlightItem): Iterable<Buffer> {
    if (item.kind === 'change-cipher-spec') {
      this.#hasChangedSpec = true;
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
}
