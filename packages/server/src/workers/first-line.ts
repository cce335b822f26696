import type { Socket } from 'node:net';

/** Request lines of players stay far below. */
const MOST_BYTES = 16 * 1024;
const PATIENCE_MS = 10_000;
const LINE_FEED = 0x0a;

/** What a client says first. */
export interface FirstLine {
  /** Without its end; empty where it didn't come in time, or is too long. */
  readonly line: string;
  /** All that has been read of the connection. */
  readonly bytes: Buffer;
}

/**
 * Reads as much of a connection as it takes to see its first line, and no more is read behind that until somebody else
 * does.
 *
 * @param done not called when the client goes away before
 */
export function readFirstLine(socket: Socket, done: (first: FirstLine) => void): void {
  const pieces: Buffer[] = [];
  let length = 0;
  const finish = (line: string) => {
    clearTimeout(timer);
    socket.off('data', receive);
    socket.off('error', leave);
    socket.off('close', leave);
    stopReading(socket);
    done({ line, bytes: Buffer.concat(pieces) });
  };
  const receive = (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    const bytes = pieces.length === 1 ? piece : Buffer.concat(pieces);
    const end = bytes.indexOf(LINE_FEED);
    if (end >= 0) finish(bytes.toString('latin1', 0, end));
    else if (length > MOST_BYTES) finish('');
  };
  const leave = () => {
    clearTimeout(timer);
    socket.destroy();
  };
  const timer = setTimeout(() => finish(''), PATIENCE_MS);
  timer.unref();
  socket.on('error', leave);
  socket.on('close', leave);
  socket.on('data', receive);
}

/** The parts of a socket's handle that node has no public name for. */
interface ReadingHandle {
  readStop(): number;
  reading: boolean;
}

/**
 * `pause` lets node read on into a buffer of its own, and what is in there would be lost with a socket that goes to
 * another process. `resume` begins to read again.
 */
export function stopReading(socket: Socket): void {
  socket.pause();
  const { _handle: handle } = socket as unknown as { readonly _handle: ReadingHandle | null };
  if (handle === null) return;
  handle.reading = false;
  handle.readStop();
}
