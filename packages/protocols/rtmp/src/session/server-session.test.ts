import { type AmfValue, encodeAmf0, MediaError } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RtmpError } from '../errors.js';
import { ChunkReader, DEFAULT_CHUNK_LIMITS } from '../wire/chunk-reader.js';
import { encodeMessage } from '../wire/chunk-writer.js';
import { encodeCommand, readCommand } from '../wire/command.js';
import { setPeerBandwidth, userControl, windowAcknowledgementSize } from '../wire/control.js';
import { beginHandshake, HANDSHAKE_SIZE } from '../wire/handshake.js';
import type { RtmpMessage } from '../wire/message.js';
import { RtmpClientSession } from './client-session.js';
import type { RtmpServerEvent } from './events.js';
import { RtmpServerSession } from './server-session.js';

const random = (size: number) => Buffer.alloc(size, 0x5a);
const serverSession = () => new RtmpServerSession({ random, limits: DEFAULT_CHUNK_LIMITS, chunkSize: 65_536 });
const coded = (code: string) => expect.objectContaining({ name: 'RtmpError', code });

/** A server session behind a finished handshake, spoken to in messages and understood in messages. */
class Talk {
  readonly session = serverSession();
  readonly events: RtmpServerEvent[] = [];
  readonly #reader = new ChunkReader();

  constructor() {
    const { outbound } = this.session.receive(Buffer.concat([beginHandshake(random), random(HANDSHAKE_SIZE)]));
    expect(Buffer.concat(outbound).length).toBe(1 + 2 * HANDSHAKE_SIZE);
  }

  send(bytes: Buffer): RtmpMessage[] {
    const { outbound, events } = this.session.receive(bytes);
    this.events.push(...events);
    return this.read(outbound);
  }

  read(outbound: readonly Buffer[]): RtmpMessage[] {
    return outbound.flatMap((bytes) => this.#reader.push(bytes));
  }

  call(...values: AmfValue[]): RtmpMessage[] {
    return this.send(encodeCommand(0, 128, ...values));
  }

  connect(more: Readonly<Record<string, AmfValue>> = {}): RtmpMessage[] {
    return this.call('connect', 1, { app: 'live', tcUrl: 'rtmp://host/live', ...more });
  }

  ready(): this {
    this.connect();
    this.call('createStream', 2, null);
    return this;
  }
}

/** Commands in short: name, transaction, and the code or the last argument. */
const commands = (messages: readonly RtmpMessage[]) =>
  messages
    .filter(({ type }) => type === 20)
    .map(readCommand)
    .map(({ name, transactionId, args }) => {
      const last = args.at(-1) as { code?: string } | undefined;
      return [name, transactionId, last?.code ?? last];
    });

const media = (type: number, timestamp: number, payload: Buffer) =>
  encodeMessage({ chunkStreamId: 4, type, timestamp, messageStreamId: 1 }, 128, payload);

describe('connect', () => {
  test('is answered with window, bandwidth, chunk size and success', () => {
    const answers = new Talk().connect();
    expect(answers.map(({ type }) => type)).toEqual([5, 6, 1, 20]);
    expect(answers[2]?.payload.readUInt32BE()).toBe(65_536);
    expect(commands(answers)).toEqual([['_result', 1, 'NetConnection.Connect.Success']]);
    expect(readCommand(answers[3]!).object).not.toHaveProperty('capsEx');
  });

  test('tells Enhanced RTMP clients what is spoken here', () => {
    const [, , , result] = new Talk().connect({ capsEx: 1, fourCcList: ['*'] });
    const { object } = readCommand(result!);
    expect(object).toMatchObject({
      capsEx: 15,
      videoFourCcInfoMap: { hvc1: 4, av01: 4 },
      audioFourCcInfoMap: { Opus: 4 },
    });
  });

  test('is refused with a reason when app or tcUrl are none', () => {
    const talk = new Talk();
    expect(commands(talk.connect({ tcUrl: 'nonsense' }))).toEqual([['_error', 1, 'NetConnection.Connect.Rejected']]);
    expect(talk.events).toEqual([{ type: 'refused', reason: 'tcUrl is no RTMP URL' }]);
    expect(talk.call('createStream', 2, null)).toEqual([]);
  });

  test('must come first, and once', () => {
    expect(() => new Talk().call('createStream', 2, null)).toThrow(coded('malformed'));
    expect(() => new Talk().ready().connect()).toThrow(coded('malformed'));
  });
});

describe('publish', () => {
  test('as FMLE and OBS do it', () => {
    const talk = new Talk();
    talk.connect();
    const answers = [
      ...talk.call('releaseStream', 2, null, 'show'),
      ...talk.call('FCPublish', 3, null, 'show'),
      ...talk.call('createStream', 4, null),
      ...talk.call('_checkbw', 5, null),
    ];
    expect(commands(answers)).toEqual([
      ['_result', 2, undefined],
      ['_result', 3, undefined],
      ['_result', 4, 1],
      ['_result', 5, undefined],
    ]);
    expect(talk.call('publish', 0, null, 'show?key=a', 'live')).toEqual([]);
    expect(talk.events).toEqual([{ type: 'publish', stream: 'show', query: 'key=a' }]);
    const accepted = talk.read(talk.session.acceptPublish());
    expect(accepted[0]).toMatchObject({ type: 4, payload: Buffer.from('000000000001', 'hex') });
    expect(commands(accepted)).toEqual([
      ['onFCPublish', 0, 'NetStream.Publish.Start'],
      ['onStatus', 0, 'NetStream.Publish.Start'],
    ]);
    talk.events.length = 0;
    const stopped = [...talk.call('FCUnpublish', 6, null, 'show'), ...talk.call('deleteStream', 0, null, 1)];
    expect(commands(stopped)).toEqual([
      ['_result', 6, undefined],
      ['onFCUnpublish', 0, 'NetStream.Unpublish.Success'],
      ['onStatus', 0, 'NetStream.Unpublish.Success'],
    ]);
    expect(talk.events).toEqual([{ type: 'stopped', reason: 'FCUnpublish' }]);
  });

  test('media comes through from the question on, and not before or after', () => {
    const talk = new Talk().ready();
    const sent = (timestamp: number) => {
      talk.send(media(9, timestamp, Buffer.from([0x17, 1])));
      return talk.events.some((event) => event.type === 'media' && event.message.timestamp === timestamp);
    };
    expect(sent(1)).toBe(false);
    talk.call('publish', 0, null, 'show');
    expect(sent(2)).toBe(true);
    talk.session.acceptPublish();
    expect(sent(3)).toBe(true);
    talk.call('closeStream', 0, null);
    expect(sent(4)).toBe(false);
  });

  test('media of all types', () => {
    const talk = new Talk().ready();
    talk.call('publish', 0, null, 'show');
    talk.events.length = 0;
    const data = encodeAmf0('@setDataFrame', 'onMetaData', {});
    talk.send(media(8, 0xffff_fffe, Buffer.from([0xaf])));
    talk.send(media(18, 1, data));
    talk.send(media(15, 2, Buffer.concat([Buffer.from([0]), data])));
    talk.send(media(9, 3, Buffer.alloc(0)));
    talk.send(media(22, 9, Buffer.from('090000010000070000000017' + '0000000c', 'hex')));
    expect(talk.events).toEqual([
      { type: 'media', message: { type: 8, timestamp: 0xffff_fffe, payload: Buffer.from([0xaf]) } },
      { type: 'media', message: { type: 18, timestamp: 1, payload: data } },
      { type: 'media', message: { type: 18, timestamp: 2, payload: data } },
      { type: 'media', message: { type: 9, timestamp: 9, payload: Buffer.from([0x17]) } },
    ]);
  });

  test('a large message is taken once the publish is accepted, not before', () => {
    const large = media(9, 0, Buffer.alloc(5_000_000));
    expect(() => new Talk().ready().send(media(9, 0, Buffer.alloc(100_000)))).toThrow(coded('too-large'));
    const asked = new Talk().ready();
    asked.call('publish', 0, null, 'show');
    expect(() => asked.send(large)).toThrow(coded('too-large'));
    const accepted = new Talk().ready();
    accepted.call('publish', 0, null, 'show');
    accepted.session.acceptPublish();
    accepted.send(large);
    expect(accepted.events.at(-1)).toMatchObject({ type: 'media' });
  });

  test('a second one is refused, and the first goes on', () => {
    const talk = new Talk().ready();
    talk.call('publish', 0, null, 'show');
    talk.session.acceptPublish();
    expect(commands(talk.call('publish', 0, null, 'other'))).toEqual([['onStatus', 0, 'NetStream.Publish.BadName']]);
    expect(commands(talk.call('play', 0, null, 'other'))).toEqual([['onStatus', 0, 'NetStream.Play.StreamNotFound']]);
    talk.send(media(8, 1, Buffer.from([0xaf])));
    expect(talk.events.map(({ type }) => type)).toEqual(['publish', 'media']);
  });

  test('may be refused, and asked again', () => {
    const talk = new Talk().ready();
    talk.call('publish', 0, null, 'show');
    const refusal = { code: 'NetStream.Publish.BadName', message: 'taken' } as const;
    expect(commands(talk.read(talk.session.refuse(refusal)))).toEqual([['onStatus', 0, 'NetStream.Publish.BadName']]);
    talk.call('publish', 0, null, 'other');
    expect(talk.events.at(-1)).toMatchObject({ type: 'publish', stream: 'other' });
  });

  test.each([[''], [null], [7]])('without a name is refused: %j', (name) => {
    const talk = new Talk().ready();
    expect(commands(talk.call('publish', 0, null, name))).toEqual([['onStatus', 0, 'NetStream.Publish.BadName']]);
    expect(talk.events).toMatchObject([{ type: 'refused' }]);
  });
});

describe('play', () => {
  const playing = () => {
    const talk = new Talk().ready();
    talk.call('play', 0, null, 'show', -1000);
    return talk;
  };

  test('is accepted with all that players wait for', () => {
    const talk = playing();
    expect(talk.events).toEqual([{ type: 'play', stream: 'show', query: '' }]);
    const accepted = talk.read(talk.session.acceptPlay());
    expect(accepted.map(({ type }) => type)).toEqual([4, 20, 20, 18]);
    expect(commands(accepted).map(([, , code]) => code)).toEqual(['NetStream.Play.Reset', 'NetStream.Play.Start']);
  });

  test('ends with Stream EOF and a notice', () => {
    const talk = playing();
    talk.session.acceptPlay();
    const last = talk.read(talk.session.finish('the stream has ended'));
    expect(last[0]?.payload.toString('hex')).toBe('0001' + '00000001');
    expect(commands(last).map(([, , code]) => code)).toEqual(['NetStream.Play.UnpublishNotify', 'NetStream.Play.Stop']);
  });

  test('pause and receive are told together', () => {
    const talk = playing();
    talk.session.acceptPlay();
    talk.events.length = 0;
    talk.call('receiveVideo', 0, null, false);
    expect(commands(talk.call('pause', 0, null, true, 0))).toEqual([['onStatus', 0, 'NetStream.Pause.Notify']]);
    expect(commands(talk.call('pause', 0, null, false, 0))).toEqual([['onStatus', 0, 'NetStream.Unpause.Notify']]);
    talk.call('receiveAudio', 0, null, false);
    talk.call('receiveVideo', 0, null, true);
    expect(talk.events.map((event) => (event.type === 'receive' ? [event.audio, event.video] : event))).toEqual([
      [true, false],
      [false, false],
      [true, false],
      [false, false],
      [false, true],
    ]);
  });

  test('what was turned off while the answer was awaited is known', () => {
    const talk = playing();
    talk.call('receiveVideo', 0, null, false);
    talk.session.acceptPlay();
    expect(talk.session.reception).toEqual({ audio: true, video: false });
  });

  test('seek and getStreamLength are answered', () => {
    const talk = playing();
    expect(commands(talk.call('seek', 0, null, 1000))).toEqual([['onStatus', 0, 'NetStream.Seek.Notify']]);
    expect(commands(talk.call('getStreamLength', 7, null, 'show'))).toEqual([['_result', 7, 0]]);
  });
});

describe('control', () => {
  test('a ping is answered with its own time', () => {
    const [pong] = new Talk().send(userControl(6, 0xfffe_0001));
    expect(pong?.payload.toString('hex')).toBe('0007' + 'fffe0001');
  });

  test('what came is acknowledged in the window that the client names', () => {
    const talk = new Talk().ready();
    talk.send(windowAcknowledgementSize(2000));
    const answers = Array.from({ length: 10 }, () => talk.send(media(9, 0, Buffer.alloc(500)))).flat();
    expect(answers.every(({ type }) => type === 3)).toBe(true);
    expect(answers.length).toBeGreaterThanOrEqual(4);
    const last = answers.at(-1)!.payload.readUInt32BE();
    expect(last).toBeGreaterThan(4000);
  });

  test('Set Peer Bandwidth is answered with the window', () => {
    expect(new Talk().send(setPeerBandwidth(1000)).map(({ type }) => type)).toEqual([5]);
  });

  test('answers that nobody asked for, unknown messages and short ones are passed over', () => {
    const talk = new Talk().ready();
    expect(talk.call('_result', 9, null)).toEqual([]);
    expect(talk.call('_error', 9, null)).toEqual([]);
    for (const type of [0, 4, 5, 7, 16, 19, 99]) expect(talk.send(media(type, 0, Buffer.from([1])))).toEqual([]);
  });

  test('a request to connect anew', () => {
    const talk = new Talk();
    talk.connect({ capsEx: 1 });
    expect(talk.session.reconnects).toBe(true);
    const [request] = talk.read([talk.session.reconnectRequest('update', 'rtmp://other/live')]);
    expect(readCommand(request!).args[0]).toMatchObject({
      code: 'NetConnection.Connect.ReconnectRequest',
      level: 'status',
      tcUrl: 'rtmp://other/live',
    });
  });
});

/** Everything a publisher sends to a session that grants it all, as one recording. */
function recording(): Buffer {
  const client = new RtmpClientSession({ app: 'live', stream: 'show?key=a', tcUrl: 'rtmp://host/live' }, random);
  const server = serverSession();
  const sent: Buffer[] = [client.start()];
  let inbound = [...sent];
  while (inbound.length > 0) {
    const replies: Buffer[] = [];
    for (const bytes of inbound) {
      const { outbound, events } = server.receive(bytes);
      replies.push(...outbound);
      if (events.some(({ type }) => type === 'publish')) replies.push(...server.acceptPublish());
    }
    inbound = [];
    for (const bytes of replies) {
      const { outbound, events } = client.receive(bytes);
      inbound.push(...outbound);
      if (events.some(({ type }) => type === 'ready')) inbound.push(...client.publish());
      if (events.some(({ type }) => type === 'publishing')) {
        inbound.push(
          client.encode({ type: 18, timestamp: 0, payload: encodeAmf0('@setDataFrame', 'onMetaData', { width: 8 }) }),
        );
        inbound.push(client.encode({ type: 9, timestamp: 0x00ff_fffe, payload: Buffer.alloc(300, 0x17) }));
        inbound.push(client.encode({ type: 8, timestamp: 0x0100_0002, payload: Buffer.alloc(40, 0xaf) }));
        inbound.push(...client.unpublish());
      }
    }
    sent.push(...inbound);
  }
  return Buffer.concat(sent);
}

/** Plays the recording to a fresh session that grants what is asked. */
function replay(pieces: readonly Buffer[]): { answer: string; events: string[] } {
  const session = serverSession();
  const answers: Buffer[] = [];
  const seen: string[] = [];
  for (const piece of pieces) {
    const { outbound, events } = session.receive(piece);
    answers.push(...outbound);
    for (const event of events) {
      seen.push(event.type === 'media' ? `${event.message.type}@${event.message.timestamp}` : event.type);
    }
    if (session.stage === 'asked') {
      answers.push(...(events.some(({ type }) => type === 'play') ? session.acceptPlay() : session.acceptPublish()));
    }
  }
  return { answer: Buffer.concat(answers).toString('base64'), events: seen };
}

describe('a recorded session', () => {
  const bytes = recording();
  const whole = replay([bytes]);

  test('comes out the same, wherever it is cut', () => {
    expect(whole.events).toEqual(['publish', '18@0', '9@16777214', '8@16777218', 'stopped']);
    for (let cut = 1; cut < bytes.length; cut++) {
      const { events } = replay([bytes.subarray(0, cut), bytes.subarray(cut)]);
      if (events.join() !== whole.events.join()) expect({ cut, events }).toEqual({ cut, events: whole.events });
    }
    expect(replay([...bytes].map((byte) => Buffer.from([byte]))).events).toEqual(whole.events);
  });

  test('fuzz: mutated, it ends in events, an RtmpError or a MediaError', () => {
    const handshake = 1 + 2 * HANDSHAKE_SIZE;
    const edits = fc.array(fc.tuple(fc.integer({ min: handshake, max: bytes.length - 1 }), fc.nat(255)), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(edits, fc.nat(bytes.length), (changes, cut) => {
        const mutated = Buffer.from(bytes);
        for (const [at, value] of changes) mutated[at] = value;
        try {
          replay([mutated.subarray(0, cut), mutated.subarray(cut)]);
        } catch (error) {
          expect(error instanceof RtmpError || error instanceof MediaError, String(error)).toBe(true);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('handshake', () => {
  test.each(['GET / HTTP/1.1\r\n', '\x16\x03\x01'])('another protocol is refused at its first byte: %j', (text) => {
    expect(() => serverSession().receive(Buffer.from(text))).toThrow(coded('handshake'));
  });

  test('may come byte by byte', () => {
    const session = serverSession();
    const out = [...beginHandshake(random)].flatMap((byte) => session.receive(Buffer.from([byte])).outbound);
    expect(Buffer.concat(out).length).toBe(1 + 2 * HANDSHAKE_SIZE);
    expect(session.stage).toBe('handshake');
    for (const byte of random(HANDSHAKE_SIZE)) session.receive(Buffer.from([byte]));
    expect(session.stage).toBe('open');
  });
});
