import { randomBytes, randomInt } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { PASSPHRASE_LENGTH } from '../crypto/key-exchange.js';
import { SrtError } from '../errors.js';
import { Endpoint } from '../server/endpoint.js';
import { nowMicros, SrtSocket } from '../server/srt-socket.js';
import { CallerHandshake } from '../session/caller-handshake.js';
import { DEFAULT_OPTIONS, type SrtOptions } from '../session/terms.js';
import { MAX_STREAM_ID_BYTES } from '../wire/extension-text.js';
import { readHandshake, writeHandshake } from '../wire/handshake.js';
import { CONTROL, type SocketId, writeControl } from '../wire/packet.js';
import { sequence } from '../wire/sequence.js';
import { timestampOf } from '../wire/timestamp.js';

export interface CallOptions {
  readonly host: string;
  readonly port: number;
  readonly streamId?: string;
  readonly passphrase?: string;
  /** Bits of the key: 128, 192 or 256. */
  readonly keyLength?: 128 | 192 | 256;
  readonly options?: Partial<SrtOptions>;
  readonly timeoutMs?: number;
}

const REPEAT_MS = 250;
const DEFAULT_TIMEOUT_MS = 3000;

/**
 * Calls a listener.
 *
 * @throws {SrtError} `rejected`, with the listener's reason; `time-out`; `unsupported`
 */
export async function srtCall(call: CallOptions): Promise<SrtSocket> {
  checkCall(call);
  const { address } = await lookup(call.host);
  const peer = { address, port: call.port };
  const own = { ...DEFAULT_OPTIONS, ...call.options };
  const startedAt = nowMicros();
  let socketId = 0 as SocketId;
  let settle: { resolve: (socket: SrtSocket) => void; reject: (error: unknown) => void } | undefined;
  const connected = new Promise<SrtSocket>((resolve, reject) => {
    settle = { resolve, reject };
  });
  let isDone = false;
  const endpoint = await Endpoint.open(0, address.includes(':') ? '::' : '0.0.0.0', (packet, from) => {
    const isOurs = packet.type === CONTROL.handshake && packet.destination === socketId;
    if (isDone || !isOurs || from.port !== peer.port || from.address !== peer.address) return;
    try {
      const terms = handshake.receive(readHandshake(packet.content), packet.timestamp);
      if (terms === undefined) {
        say();
        return;
      }
      isDone = true;
      const socket = new SrtSocket({
        terms,
        peer,
        streamId: call.streamId ?? '',
        startedAt,
        send: (datagram) => endpoint.send(datagram, peer),
        closed: () => {
          endpoint.remove(socketId);
          // The goodbye is still to go out.
          setImmediate(() => void endpoint.close('closed'));
        },
      });
      endpoint.add(socketId, socket);
      settle?.resolve(socket);
    } catch (error) {
      settle?.reject(error);
    }
  });
  socketId = endpoint.freeId();
  const handshake = new CallerHandshake({
    own,
    socketId,
    initialSequence: sequence(randomInt(0, 0x7fff_ffff)),
    peer,
    streamId: call.streamId ?? '',
    passphrase: call.passphrase,
    keyBytes: (call.keyLength ?? 128) / 8,
    random: randomBytes,
  });
  const say = (): void => {
    const timestamp = timestampOf(nowMicros() - startedAt);
    const content = writeHandshake(handshake.message);
    endpoint.send(
      writeControl({ type: CONTROL.handshake, info: 0, timestamp, destination: 0 as SocketId, content }),
      peer,
    );
  };
  const repeat = setInterval(say, REPEAT_MS);
  const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = setTimeout(() => {
    settle?.reject(new SrtError('time-out', `${call.host}:${call.port} gave no answer in ${timeoutMs} ms`));
  }, timeoutMs);
  say();
  try {
    return await connected;
  } catch (error) {
    isDone = true;
    await endpoint.close('the call failed');
    throw error;
  } finally {
    clearInterval(repeat);
    clearTimeout(timeout);
  }
}

/** What could not go over the wire, or not open a lock. */
function checkCall({ streamId = '', passphrase }: CallOptions): void {
  const bytes = Buffer.byteLength(streamId);
  if (bytes > MAX_STREAM_ID_BYTES) {
    throw new SrtError('unsupported', `the stream id has ${bytes} bytes; ${MAX_STREAM_ID_BYTES} are possible`);
  }
  const { least, most } = PASSPHRASE_LENGTH;
  if (passphrase !== undefined && (passphrase.length < least || passphrase.length > most)) {
    throw new SrtError(
      'unsupported',
      `the passphrase has ${passphrase.length} characters; ${least} to ${most} are possible`,
    );
  }
}
