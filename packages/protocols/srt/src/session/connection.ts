import { messageOf } from '../message-of.js';
import { readAck } from '../wire/ack.js';
import { readDropRequest } from '../wire/drop-request.js';
import type { FecConfig } from '../wire/filter-config.js';
import { readNak } from '../wire/nak.js';
import { CONTROL, type ControlPacket, HEADER_BYTES, NO_CONTENT, type Packet, type SocketId } from '../wire/packet.js';
import { REPAIR_HEAD_BYTES } from '../wire/repair-packet.js';
import type { SequenceNumber } from '../wire/sequence.js';
import { type Micros, micros, type Timestamp, timestampOf } from '../wire/timestamp.js';
import { ControlWriter, KM_REQUEST, KM_RESPONSE } from './control-writer.js';
import type { ReceiveKeys, SendKeys } from './keys.js';
import { Receiver } from './receiver.js';
import { RoundTripTime } from './rtt.js';
import { Sender } from './sender.js';
import type { SrtStatistics } from './statistics.js';

/** Where a connection's datagrams and payloads go. */
export interface ConnectionOutput {
  /** To the peer: one datagram in two pieces. What they hold doesn't change, but for the mark of what is sent again. */
  datagram(head: Buffer, body: Buffer): void;
  /** From the peer, in order and in time. */
  payload(bytes: Buffer): void;
  /** It is over: no other call comes after this. */
  closed(reason: string): void;
}

/** What the handshake has settled. */
export interface ConnectionTerms {
  readonly peerId: SocketId;
  readonly initialSequence: SequenceNumber;
  readonly peerInitialSequence: SequenceNumber;
  /** Largest datagram, without IP and UDP headers. */
  readonly maxDatagram: number;
  readonly flowWindow: number;
  /** Milliseconds that what comes is delayed. */
  readonly receiveLatency: number;
  /** Milliseconds that the peer delays what goes. */
  readonly sendLatency: number;
  /** Bytes a second that are sent at most; undefined: no limit. */
  readonly maxBandwidth: number | undefined;
  /** Of the peer's handshake packet that came at the beginning. */
  readonly peerTimestamp: Timestamp;
  readonly periodicNak: boolean;
  readonly tooLateDrop: boolean;
  readonly filter: FecConfig | undefined;
  readonly sendKeys: SendKeys | undefined;
  readonly receiveKeys: ReceiveKeys | undefined;
}

const KEEP_ALIVE_INTERVAL = 1_000_000;
/** A peer that has said nothing for so long is gone. */
const PEER_TIMEOUT = 5_000_000;
const NOTHING = Buffer.alloc(0);
/** What AES-GCM adds to a payload. */
const TAG_BYTES = 16;

/** An SRT connection after its handshake, in live mode: datagrams and time in, datagrams and payloads out. */
export class SrtConnection {
  readonly #terms: ConnectionTerms;
  readonly #output: ConnectionOutput;
  readonly #startedAt: Micros;
  readonly #rtt = new RoundTripTime();
  readonly #control: ControlWriter;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  #lastHeard: Micros;
  #lastSent: Micros;
  /** The peer has said goodbye; what it sent before is still to be delivered. */
  #isEnding = false;
  #isClosed = false;

  /** @param options.now when the handshake ended */
  constructor(options: { terms: ConnectionTerms; output: ConnectionOutput; startedAt: Micros; now: Micros }) {
    const { terms, output, startedAt, now } = options;
    this.#terms = terms;
    this.#output = output;
    this.#startedAt = startedAt;
    this.#lastHeard = now;
    this.#lastSent = now;
    const rtt = this.#rtt;
    const timestampAt = (time: Micros) => timestampOf(micros(time - startedAt));
    const datagram = (head: Buffer, body: Buffer, time: Micros) => {
      this.#lastSent = time;
      output.datagram(head, body);
    };
    const control = new ControlWriter({
      destination: terms.peerId,
      timestampAt,
      send: (bytes, time) => datagram(bytes, NOTHING, time),
    });
    this.#control = control;
    this.#sender = new Sender({ terms, control, rtt, timestampAt, datagram, now });
    const payload = (bytes: Buffer) => {
      if (!this.#isClosed) output.payload(bytes);
    };
    this.#receiver = new Receiver({ terms, control, rtt, payload, startedAt, now });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Largest payload that `send` takes. */
  get maxPayload(): number {
    const { maxDatagram, filter } = this.#terms;
    return maxDatagram - HEADER_BYTES - TAG_BYTES - (filter === undefined ? 0 : REPAIR_HEAD_BYTES);
  }

  statistics(now: Micros): SrtStatistics {
    const seconds = Math.max(1, now - this.#startedAt) / 1_000_000;
    const [sent, received] = [this.#sender.counts, this.#receiver.counts];
    return {
      ...sent,
      ...received,
      msRTT: this.#rtt.mean / 1000,
      msRcvBuf: this.#receiver.span / 1000,
      msSndBuf: this.#sender.age(now) / 1000,
      mbpsSendRate: (sent.byteSent * 8) / seconds / 1_000_000,
      mbpsRecvRate: (received.byteRecv * 8) / seconds / 1_000_000,
    };
  }

  /**
   * Takes a packet of this connection that `readPacket` has read. What is wrong in it is dropped.
   *
   * @param datagram that it was read from
   */
  receive(packet: Packet, datagram: Buffer, now: Micros): void {
    if (this.#isClosed) return;
    this.#lastHeard = now;
    this.#receiver.heard(packet.timestamp);
    try {
      if (packet.kind === 'data') this.#receiver.receive(packet, datagram, now);
      else this.#receiveControl(packet, now);
    } catch (error) {
      // One bad packet is as good as one lost packet.
      if (!(error instanceof Error && error.name === 'SrtError')) this.#close(`a packet failed: ${messageOf(error)}`);
    }
    this.#deliver(now);
  }

  /**
   * Sends a payload: at once, or when it is its turn.
   *
   * @param payload is not to be changed afterwards
   * @returns false where so much is under way that it was dropped
   */
  send(payload: Buffer, now: Micros): boolean {
    if (this.#isClosed || this.#isEnding || payload.length > this.maxPayload) return false;
    return this.#sender.send(payload, now);
  }

  /** Does what only time brings: deliveries, reports, repetitions. Called about every 10 ms. */
  tick(now: Micros): void {
    if (this.#isClosed) return;
    if (now - this.#lastHeard > PEER_TIMEOUT) {
      this.#close('the peer has been silent for 5 s');
      return;
    }
    this.#deliver(now);
    // To a peer that is gone there is nothing to say.
    if (this.#isEnding || this.#isClosed) return;
    this.#receiver.tick(now);
    this.#sender.tick(now);
    if (now - this.#lastSent > KEEP_ALIVE_INTERVAL) this.#control.write(CONTROL.keepAlive, 0, NO_CONTENT, now);
  }

  /** Says goodbye. Later calls do nothing. */
  close(reason: string, now: Micros): void {
    if (this.#isClosed) return;
    this.#sender.flush(now);
    this.#control.write(CONTROL.shutdown, 0, NO_CONTENT, now);
    this.#close(reason);
  }

  #deliver(now: Micros): void {
    this.#receiver.deliver(now);
    if (this.#isEnding && this.#receiver.isEmpty) this.#close('closed by the peer');
  }

  #receiveControl(packet: ControlPacket, now: Micros): void {
    const { content } = packet;
    switch (packet.type) {
      case CONTROL.ack:
        this.#receiveAck(packet, now);
        break;
      case CONTROL.nak:
        this.#sender.missed(readNak(content), now);
        break;
      case CONTROL.ackAck:
        this.#receiver.ackAck(packet, now);
        break;
      case CONTROL.dropRequest:
        this.#receiver.drop(readDropRequest(content));
        break;
      case CONTROL.shutdown:
        this.#isEnding = true;
        break;
      case CONTROL.peerError:
        this.#close(`the peer reports error ${packet.info}`);
        break;
      case CONTROL.userDefined:
        if (packet.subtype === KM_REQUEST) this.#receiver.takeKey(content, now);
        else if (packet.subtype === KM_RESPONSE && content.length > 4) this.#sender.keyTaken();
        break;
      default:
      // Keep-alives have said all that they say by coming.
    }
  }

  #receiveAck({ content, info }: ControlPacket, now: Micros): void {
    const { next, window, rtt, rttVariance } = readAck(content);
    this.#sender.acknowledged(next, window, now);
    if (rtt === undefined) return;
    // A side that only sends measures nothing itself.
    if (rttVariance !== undefined && this.#receiver.counts.pktRecv === 0) this.#rtt.adopt(rtt, rttVariance);
    this.#control.write(CONTROL.ackAck, info, NO_CONTENT, now);
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#output.closed(reason);
  }
}
