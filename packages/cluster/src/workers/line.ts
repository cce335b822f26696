import type { Duplex } from 'node:stream';
import { messageOf } from '@sluice/core';
import type { NumberedFrame } from '../relay/frame.js';
import { FrameReader } from '../relay/wire/frame-reader.js';
import { packFrame } from '../relay/wire/pack-frame.js';

/** The line between the main process and a worker: frames of streams, and messages as JSON, in the order they are sent. */
export class Line<Out extends object, In> {
  readonly #socket: Duplex;
  readonly #reader = new FrameReader();
  readonly #onMessage: (message: In) => void;
  readonly #onFrame: (frame: NumberedFrame) => void;
  readonly #onClose: (reason: string) => void;
  #closed = false;

  constructor(options: {
    socket: Duplex;
    onMessage: (message: In) => void;
    onFrame: (frame: NumberedFrame) => void;
    /** Called once; nothing comes or goes any more. */
    onClose: (reason: string) => void;
  }) {
    this.#socket = options.socket;
    this.#onMessage = options.onMessage;
    this.#onFrame = options.onFrame;
    this.#onClose = options.onClose;
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#socket.on('error', (error) => this.close(`the line broke: ${error.message}`));
    this.#socket.on('close', () => this.close('the line was closed at the other end'));
  }

  /** Bytes that the kernel hasn't taken yet. */
  get waiting(): number {
    return this.#socket.writableLength;
  }

  /** Calls back whenever all that waited has gone. */
  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  send(message: Out): void {
    this.write(packFrame(0, { type: 'message', data: Buffer.from(JSON.stringify(message)) }));
  }

  /** Sends frames as they were packed. */
  write(pieces: readonly Buffer[]): void {
    if (this.#closed) return;
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#onClose(reason);
  }

  #receive(bytes: Buffer): void {
    try {
      for (const numbered of this.#reader.push(bytes)) {
        if (this.#closed) return;
        if (numbered.frame.type === 'message') this.#onMessage(JSON.parse(numbered.frame.data.toString()) as In);
        else this.#onFrame(numbered);
      }
    } catch (error) {
      this.close(`what came over the line can't be taken: ${messageOf(error)}`);
    }
  }
}
