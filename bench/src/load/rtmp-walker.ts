import { type FrameSink, VideoHead } from './video-head.js';

/** Before a Set Chunk Size comes. RTMP §5.4.1. */
const DEFAULT_CHUNK_SIZE = 128;
const SET_CHUNK_SIZE = 1;
const AUDIO = 8;
const VIDEO = 9;
const DATA = 18;
const EXTENDED_TIMESTAMP = 0xff_ffff;
/** Message header by chunk format, RTMP §5.3.1.2. */
const MESSAGE_HEADER = [11, 7, 3, 0] as const;
/** Basic header (3), message header (11) and extended timestamp (4) at most. */
const MAX_HEADER = 18;
/** Ids that fit into the first byte; everybody uses only these. */
const FEW_CHUNK_STREAMS = 64;
/** Commands and control messages are far shorter; a longer one is walked over. */
const MAX_KEPT = 64 * 1024;

/** Gets the messages that are neither media nor metadata. */
export type OnMessage = (type: number, body: Buffer) => void;

class ChunkStream {
  type = 0;
  length = 0;
  have = 0;
  extended = false;
  kept: Buffer | undefined;
  readonly head = new VideoHead();
}

/** Walks over the chunks that a server sends behind its handshake, looks at the heads of video messages and keeps no media. RTMP §5.3.1. */
export class RtmpWalker {
  readonly #sink: FrameSink;
  readonly #onMessage: OnMessage;
  readonly #streams: (ChunkStream | undefined)[] = new Array(FEW_CHUNK_STREAMS);
  /** Those whose id has two or three bytes. */
  readonly #furtherStreams = new Map<number, ChunkStream>();
  readonly #header: Buffer = Buffer.alloc(MAX_HEADER);
  #chunkSize = DEFAULT_CHUNK_SIZE;
  #headerHave = 0;
  #headerNeeded = 1;
  #basic = 0;
  #headerParsed = false;
  #stream = new ChunkStream();
  #payloadLeft = 0;

  constructor(sink: FrameSink, onMessage: OnMessage) {
    this.#sink = sink;
    this.#onMessage = onMessage;
  }

  /** Walks over `bytes[start]` to `bytes[end]`, which aren't kept. */
  feed(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#payloadLeft > 0) {
        const length = Math.min(end - at, this.#payloadLeft);
        this.#payload(bytes, at, length);
        at += length;
      } else {
        this.#header[this.#headerHave++] = bytes[at++] ?? 0;
        if (this.#headerHave === this.#headerNeeded) this.#advanceHeader();
      }
    }
  }

  /** A part of the header is there: asks for the next, or begins the payload. */
  #advanceHeader(): void {
    const first = this.#header[0] ?? 0;
    if (this.#basic === 0) {
      const id = first & 63;
      this.#basic = id === 0 ? 2 : id === 1 ? 3 : 1;
      this.#headerNeeded = this.#basic + (MESSAGE_HEADER[first >> 6] ?? 0);
      if (this.#headerHave < this.#headerNeeded) return;
    }
    if (!this.#headerParsed) {
      this.#parseHeader(first >> 6);
      this.#headerParsed = true;
      if (this.#stream.extended) {
        this.#headerNeeded += 4;
        return;
      }
    }
    this.#beginPayload();
  }

  #parseHeader(format: number): void {
    const header = this.#header;
    const at = this.#basic;
    const stream = this.#streamOf(this.#chunkStreamId());
    this.#stream = stream;
    if (format === 3) return;
    stream.have = 0;
    stream.extended = header.readUIntBE(at, 3) === EXTENDED_TIMESTAMP;
    if (format === 2) return;
    stream.length = header.readUIntBE(at + 3, 3);
    stream.type = header[at + 6] ?? 0;
  }

  #chunkStreamId(): number {
    const header = this.#header;
    if (this.#basic === 1) return (header[0] ?? 0) & 63;
    return 64 + (header[1] ?? 0) + (this.#basic === 3 ? (header[2] ?? 0) * 256 : 0);
  }

  #streamOf(id: number): ChunkStream {
    const few = id < FEW_CHUNK_STREAMS;
    const known = few ? this.#streams[id] : this.#furtherStreams.get(id);
    if (known !== undefined) return known;
    const stream = new ChunkStream();
    if (few) this.#streams[id] = stream;
    else this.#furtherStreams.set(id, stream);
    return stream;
  }

  #beginPayload(): void {
    const stream = this.#stream;
    this.#headerHave = 0;
    this.#headerNeeded = 1;
    this.#basic = 0;
    this.#headerParsed = false;
    this.#payloadLeft = Math.min(this.#chunkSize, stream.length - stream.have);
    if (stream.have === 0) stream.kept = isKept(stream.type, stream.length) ? Buffer.alloc(stream.length) : undefined;
    if (this.#payloadLeft === 0) this.#endMessage(stream);
  }

  #payload(bytes: Buffer, at: number, length: number): void {
    const stream = this.#stream;
    if (stream.type === VIDEO) stream.head.take(bytes, at, length, stream.have);
    else if (stream.kept !== undefined) bytes.copy(stream.kept, stream.have, at, at + length);
    stream.have += length;
    this.#payloadLeft -= length;
    if (stream.have === stream.length) this.#endMessage(stream);
  }

  #endMessage(stream: ChunkStream): void {
    stream.have = 0;
    if (stream.type === VIDEO) {
      if (stream.head.sequence >= 0) this.#sink.frame(stream.head.sequence, stream.head.keyframe);
      stream.head.sequence = -1;
    } else if (stream.kept !== undefined) {
      const body = stream.kept;
      stream.kept = undefined;
      if (stream.type === SET_CHUNK_SIZE && body.length >= 4) this.#chunkSize = body.readUInt32BE(0) & 0x7fff_ffff;
      else this.#onMessage(stream.type, body);
    }
  }
}

function isKept(type: number, length: number): boolean {
  return type !== AUDIO && type !== VIDEO && type !== DATA && length <= MAX_KEPT;
}
