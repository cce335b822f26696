import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { webSocketFrame } from './web-socket-frame.js';

/** The `ws` package's own parser, which it doesn't export in its types. */
interface Receiver {
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  write(bytes: Buffer): boolean;
}
const { Receiver } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { isServer: boolean; allowSynchronousEvents: boolean }) => Receiver;
};

/** The messages that a client reads from these bytes. */
function received(bytes: Buffer): { data: Buffer; isBinary: boolean }[] {
  const receiver = new Receiver({ isServer: false, allowSynchronousEvents: true });
  const messages: { data: Buffer; isBinary: boolean }[] = [];
  receiver.on('message', (data, isBinary) => messages.push({ data, isBinary }));
  receiver.on('error', (error) => {
    throw error;
  });
  receiver.write(bytes);
  return messages;
}

const patterned = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 31) & 0xff));

describe('webSocketFrame', () => {
  it.each([
    [0, 2],
    [1, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
    [200_000, 10],
  ])('puts %i bytes behind the shortest header that holds them, %i bytes', (length, headerSize) => {
    const payload = patterned(length);
    const frame = webSocketFrame([payload]);
    expect(frame.length).toBe(headerSize + length);
    const messages = received(frame);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.isBinary).toBe(true);
    expect(messages[0]?.data.equals(payload)).toBe(true);
  });

  it('makes one message of many parts, and frames that follow each other stay apart', () => {
    const frames = [webSocketFrame([Buffer.from('FLV'), Buffer.alloc(0), Buffer.from('tag')]), webSocketFrame([])];
    expect(received(Buffer.concat(frames)).map(({ data }) => data.toString())).toEqual(['FLVtag', '']);
  });
});
