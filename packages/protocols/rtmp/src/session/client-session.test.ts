import { type AmfValue, encodeAmf0, MediaError } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtmpError } from '../errors.js';
import { ChunkReader, DEFAULT_CHUNK_LIMITS } from '../wire/chunk-reader.js';
import { encodeMessage } from '../wire/chunk-writer.js';
import { encodeCommand, encodeStatus, readCommand } from '../wire/command.js';
import { setChunkSize, setPeerBandwidth, userControl, windowAcknowledgementSize } from '../wire/control.js';
import { HANDSHAKE_SIZE } from '../wire/handshake.js';
import type { RtmpMessage } from '../wire/message.js';
import { type RtmpClientEvent, RtmpClientSession } from './client-session.js';
import { RtmpServerSession } from './server-session.js';

const random = (size: number) => Buffer.alloc(size, 0x5a);
const target = { app: 'live', stream: 'show?key=a', tcUrl: 'rtmp://host/live' };
const coded = (code: string) => expect.objectContaining({ name: 'RtmpError', code });
const hello = Buffer.concat([Buffer.from([3]), random(2 * HANDSHAKE_SIZE)]);

/** A client session behind its handshake, understood in messages. */
class Talk {
  readonly session = new RtmpClientSession(target, random);
  readonly events: RtmpClientEvent[] = [];
  readonly #reader = new ChunkReader();

  constructor() {
    this.session.start();
    const { outbound } = this.session.receive(hello);
    expect(outbound[0]).toEqual(random(HANDSHAKE_SIZE));
    expect(commands(this.read(outbound.slice(1)))).toMatchObject([
      { name: 'connect', object: { app: 'live', capsEx: 15 } },
    ]);
  }

  send(bytes: Buffer): RtmpMessage[] {
    const { outbound, events } = this.session.receive(bytes);
    this.events.push(...events);
    return this.read(outbound);
  }

  read(outbound: readonly Buffer[]): RtmpMessage[] {
    return outbound.flatMap((bytes) => this.#reader.push(bytes));
  }

  answer(...values: AmfValue[]): RtmpMessage[] {
    return this.send(encodeCommand(0, 128, ...values));
  }

  status(level: 'status' | 'error', code: string): RtmpMessage[] {
    return this.send(encodeStatus(1, 128, { level, code, description: 'why' }));
  }

  ready(): this {
    this.answer('_result', 1, null, { code: 'NetConnection.Connect.Success' });
    this.answer('_result', 4, null, 7);
    return this;
  }
}

const commands = (messages: readonly RtmpMessage[]) => messages.filter(({ type }) => type === 20).map(readCommand);

test('connects, publishes on the stream it was given, and leaves', () => {
  const talk = new Talk();
  expect(commands(talk.answer('_result', 1, null, {}))).toMatchObject([{ name: 'createStream', transactionId: 4 }]);
  talk.answer('_result', 4, null, 7);
  expect(talk.events).toEqual([{ type: 'ready' }]);
  expect(commands(talk.read(talk.session.publish()))).toMatchObject([
    { name: 'releaseStream', args: ['show?key=a'] },
    { name: 'FCPublish', args: ['show?key=a'] },
    { name: 'publish', messageStreamId: 7, args: ['show?key=a', 'live'] },
  ]);
  talk.status('status', 'NetStream.Publish.Start');
  expect(talk.events.at(-1)).toEqual({ type: 'publishing' });
  const [message] = talk.read([talk.session.encode({ type: 9, timestamp: 5, payload: Buffer.from([1]) })]);
  expect(message).toEqual({ type: 9, timestamp: 5, messageStreamId: 7, payload: Buffer.from([1]) });
  expect(commands(talk.read(talk.session.unpublish())).map(({ name }) => name)).toEqual([
    'FCUnpublish',
    'deleteStream',
  ]);
});

test('plays, media before the server says so included', () => {
  const talk = new Talk().ready();
  expect(commands(talk.read(talk.session.play()))).toMatchObject([{ name: 'play', messageStreamId: 7 }]);
  talk.events.length = 0;
  talk.send(encodeMessage({ chunkStreamId: 6, type: 9, timestamp: 1, messageStreamId: 7 }, 128, Buffer.from([0x17])));
  talk.status('status', 'NetStream.Play.Reset');
  talk.status('status', 'NetStream.Play.Start');
  talk.send(encodeMessage({ chunkStreamId: 6, type: 9, timestamp: 2, messageStreamId: 7 }, 128));
  talk.send(userControl(1, 7));
  expect(talk.events.map(({ type }) => type)).toEqual(['media', 'playing', 'ended']);
});

test.each(['connect', 'createStream', 'publish'] as const)('a refused %s throws with the reason', (call) => {
  const talk = call === 'connect' ? new Talk() : new Talk().ready();
  const transaction = { connect: 1, createStream: 4, publish: 5 }[call];
  const refuse = () => talk.answer('_error', transaction, null, { code: 'No', description: 'because' });
  expect(refuse).toThrow(/No: because/);
});

test('a refused releaseStream or FCPublish is of no account', () => {
  const talk = new Talk().ready();
  talk.answer('_error', 2, null, { code: 'No' });
  talk.answer('_error', 3, null, { code: 'No' });
  expect(talk.events).toEqual([{ type: 'ready' }]);
});

test('an error status throws', () => {
  expect(() => new Talk().ready().status('error', 'NetStream.Play.StreamNotFound')).toThrow(coded('refused'));
});

test('a request to connect anew', () => {
  const talk = new Talk().ready();
  talk.answer('onStatus', 0, null, {
    level: 'status',
    code: 'NetConnection.Connect.ReconnectRequest',
    tcUrl: 'rtmp://other/live',
    description: 'update',
  });
  expect(talk.events.at(-1)).toEqual({ type: 'reconnect', tcUrl: 'rtmp://other/live', description: 'update' });
});

test('pings, bandwidth and windows are answered', () => {
  const talk = new Talk();
  expect(talk.send(userControl(6, 99))[0]?.payload.toString('hex')).toBe('000700000063');
  expect(talk.send(setPeerBandwidth(1234))[0]).toMatchObject({ type: 5 });
  talk.send(windowAcknowledgementSize(1000));
  talk.send(setChunkSize(4096));
  const media = encodeMessage({ chunkStreamId: 6, type: 9, timestamp: 1, messageStreamId: 7 }, 4096, Buffer.alloc(600));
  expect(talk.send(media).map(({ type }) => type)).toEqual([3]);
});

test('a server of another version is refused', () => {
  expect(() => new RtmpClientSession(target, random).receive(Buffer.from([6]))).toThrow(coded('handshake'));
});

/** Client and server joined back to back; `deliver` may cut what travels. */
function converse(deliver: (bytes: Buffer) => Buffer[]): string[] {
  const client = new RtmpClientSession(target, random);
  const server = new RtmpServerSession({ random, limits: DEFAULT_CHUNK_LIMITS, chunkSize: 200 });
  const seen: string[] = [];
  let toServer: Buffer[] = [client.start()];
  while (toServer.length > 0) {
    const toClient: Buffer[] = [];
    for (const bytes of toServer.flatMap(deliver)) {
      const { outbound, events } = server.receive(bytes);
      toClient.push(...outbound);
      for (const event of events) {
        seen.push(`server ${event.type}`);
        if (event.type !== 'play') continue;
        toClient.push(...server.acceptPlay());
        const header = { chunkStreamId: 6, type: 9, timestamp: 0x0100_0000, messageStreamId: 1 };
        toClient.push(encodeMessage(header, 200, Buffer.alloc(1000, 0x17)), ...server.finish('over'));
      }
    }
    toServer = [];
    for (const bytes of toClient.flatMap(deliver)) {
      const { outbound, events } = client.receive(bytes);
      toServer.push(...outbound);
      for (const event of events) {
        seen.push(event.type === 'media' ? `media ${event.message.type} ${event.message.payload.length}` : event.type);
        if (event.type === 'ready') toServer.push(...client.play());
      }
    }
  }
  return seen;
}

describe('client and server, back to back', () => {
  const expected = ['ready', 'server play', 'playing', 'media 18 24', 'media 9 1000', 'ended'];

  test.each([1, 2, 3, 7, 100, 5000])('in pieces of %i bytes', (size) => {
    const cut = (bytes: Buffer) =>
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
    expect(converse(cut)).toEqual(expected);
  });
});

test('fuzz: what a server sends, mutated, ends in events, an RtmpError or a MediaError', () => {
  const valid = Buffer.concat([
    windowAcknowledgementSize(2_500_000),
    setPeerBandwidth(2_500_000),
    setChunkSize(4096),
    encodeCommand(
      0,
      4096,
      '_result',
      1,
      { fmsVer: 'FMS/3' },
      { level: 'status', code: 'NetConnection.Connect.Success' },
    ),
    encodeCommand(0, 4096, '_result', 4, null, 1),
    encodeStatus(1, 4096, { level: 'status', code: 'NetStream.Play.Start', description: '' }),
    encodeMessage({ chunkStreamId: 5, type: 15, timestamp: 0, messageStreamId: 1 }, 4096, encodeAmf0('onMetaData', {})),
    encodeMessage({ chunkStreamId: 6, type: 9, timestamp: 0x0100_0000, messageStreamId: 1 }, 4096, Buffer.alloc(99)),
  ]);
  const edits = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(edits, (changes) => {
      const bytes = Buffer.from(valid);
      for (const [at, value] of changes) bytes[at] = value;
      const session = new RtmpClientSession(target, random);
      session.receive(hello);
      try {
        session.receive(bytes);
      } catch (error) {
        expect(error instanceof RtmpError || error instanceof MediaError, String(error)).toBe(true);
      }
    }),
    { numRuns: 1500 },
  );
});
