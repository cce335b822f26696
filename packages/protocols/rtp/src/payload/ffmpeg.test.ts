import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { joinAnnexB, splitAnnexB, splitLengthPrefixed, stripTemporalDelimiters } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { readRtp, type Ssrc, writeRtpHeader } from '../wire/rtp.js';
import {
  Av1Depacketiser,
  type Depacketised,
  H264Depacketiser,
  HevcDepacketiser,
  packetiseAv1,
  packetiseH264,
  packetiseHevc,
  packetiseVp8,
  packetiseVp9,
  type RtpPayload,
  Vp8Depacketiser,
  Vp9Depacketiser,
} from './index.js';

interface Codec {
  readonly name: string;
  readonly encoder: readonly string[];
  /** What ffmpeg reads pictures as; IVF where they have no start codes. */
  readonly input: 'h264' | 'hevc' | 'ivf';
  readonly fourCc: string;
  readonly depacketiser: () =>
    | H264Depacketiser
    | HevcDepacketiser
    | Vp8Depacketiser
    | Vp9Depacketiser
    | Av1Depacketiser;
  readonly packetise: (picture: Depacketised, maxBytes: number, number: number) => RtpPayload[];
}

const PICTURES = 30;
const SOURCE = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30', '-frames:v', String(PICTURES)];
const GOP = ['-g', '10', '-keyint_min', '10'];
const REALTIME = ['-deadline', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0', '-auto-alt-ref', '0', '-b:v', '1M'];
const X265 = 'log-level=error:keyint=10:min-keyint=10:scenecut=0:bframes=0:open-gop=0:repeat-headers=1';

const CODECS: readonly Codec[] = [
  {
    name: 'H.264',
    encoder: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-slices', '3', ...GOP],
    input: 'h264',
    fourCc: '',
    depacketiser: () => new H264Depacketiser(),
    packetise: ({ accessUnit, parameterSets }, maxBytes) => packetiseH264(accessUnit, maxBytes, parameterSets),
  },
  {
    name: 'HEVC',
    encoder: ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', X265],
    input: 'hevc',
    fourCc: '',
    depacketiser: () => new HevcDepacketiser(),
    packetise: ({ accessUnit, parameterSets }, maxBytes) => packetiseHevc(accessUnit, maxBytes, parameterSets),
  },
  {
    name: 'VP8',
    encoder: ['-c:v', 'libvpx', ...REALTIME, ...GOP],
    input: 'ivf',
    fourCc: 'VP80',
    depacketiser: () => new Vp8Depacketiser(),
    packetise: ({ accessUnit }, maxBytes, number) => packetiseVp8(accessUnit, maxBytes, number),
  },
  {
    name: 'VP9',
    encoder: ['-c:v', 'libvpx-vp9', ...REALTIME, ...GOP],
    input: 'ivf',
    fourCc: 'VP90',
    depacketiser: () => new Vp9Depacketiser(),
    packetise: ({ accessUnit, keyframe }, maxBytes, pictureId) =>
      packetiseVp9(accessUnit, maxBytes, { pictureId, keyframe }),
  },
  {
    name: 'AV1',
    encoder: ['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0', ...GOP],
    input: 'ivf',
    fourCc: 'AV01',
    depacketiser: () => new Av1Depacketiser(),
    packetise: ({ accessUnit, keyframe }, maxBytes) => packetiseAv1(accessUnit, maxBytes, { keyframe }),
  },
];

/** Runs ffmpeg to its end, which must be a good one. */
async function ffmpeg(args: readonly string[], input?: Buffer): Promise<Buffer> {
  const child = spawn('ffmpeg', ['-hide_banner', '-nostdin', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  expect([code, errors]).toEqual([0, '']);
  return Buffer.concat(output);
}

/** The temporal unit's delimiter, which samples are without and files have. */
const DELIMITER = Buffer.from([0x12, 0]);

function fileOf({ input, fourCc }: Codec, pictures: readonly Depacketised[]): Buffer {
  if (input !== 'ivf') {
    const units = pictures.map(({ accessUnit, parameterSets }) => [
      ...parameterSets,
      ...splitLengthPrefixed(accessUnit, 4),
    ]);
    return joinAnnexB(units.flat());
  }
  const head = Buffer.alloc(32);
  head.write(`DKIF\0\0\x20\0${fourCc}`, 'latin1');
  for (const [at, value] of [
    [12, 640],
    [14, 360],
  ] as const)
    head.writeUInt16LE(value, at);
  for (const [at, value] of [
    [16, 30],
    [20, 1],
    [24, pictures.length],
  ] as const)
    head.writeUInt32LE(value, at);
  const frames = pictures.flatMap(({ accessUnit }, at) => {
    const data = fourCc === 'AV01' ? Buffer.concat([DELIMITER, accessUnit]) : accessUnit;
    const frameHead = Buffer.alloc(12);
    frameHead.writeUInt32LE(data.length, 0);
    frameHead.writeUInt32LE(at, 4);
    return [frameHead, data];
  });
  return Buffer.concat([head, ...frames]);
}

/** The decoded pictures' checksums. */
async function decoded(file: Buffer, input: string): Promise<string[]> {
  return checksums(await ffmpeg(['-v', 'error', '-f', input, '-i', '-', '-f', 'framemd5', '-'], file));
}

const checksums = (text: Buffer): string[] =>
  text
    .toString()
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)?.trim() ?? '');

/** What the encoder makes, as pictures in the form of samples. */
async function encoded(codec: Codec): Promise<{ file: Buffer; pictures: Depacketised[] }> {
  const file = await ffmpeg([...SOURCE, ...codec.encoder, '-f', codec.input, '-']);
  if (codec.input !== 'ivf') return { file, pictures: [] };
  const pictures: Depacketised[] = [];
  for (let at = 32; at < file.length; ) {
    const end = at + 12 + file.readUInt32LE(at);
    const data = file.subarray(at + 12, end);
    const accessUnit = codec.fourCc === 'AV01' ? stripTemporalDelimiters(data) : data;
    pictures.push({ timestamp: 0, accessUnit, keyframe: pictures.length % 10 === 0, parameterSets: [] });
    at = end;
  }
  return { file, pictures };
}

/** Through our packetiser and depacketiser. */
function through({ packetise, depacketiser }: Codec, pictures: readonly Depacketised[], maxBytes: number) {
  const receiver = depacketiser();
  return pictures.flatMap((picture, number) =>
    packetise(picture, maxBytes, number).flatMap(({ pieces, marker }) =>
      receiver.push(Buffer.concat(pieces), marker, number * 3000),
    ),
  );
}

async function udpSocket(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** What comes out when ffmpeg's own packetiser sends. */
async function fromFfmpeg(codec: Codec, options: readonly string[]): Promise<Depacketised[]> {
  const socket = await udpSocket();
  const got: Depacketised[] = [];
  const receiver = codec.depacketiser();
  socket.on('message', (datagram) => {
    const { payload, marker, timestamp } = readRtp(datagram);
    got.push(...receiver.push(payload, marker, timestamp));
  });
  const url = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`;
  const rtp = ['-strict', 'experimental', ...options, '-f', 'rtp', url];
  const sender = spawn('ffmpeg', ['-re', ...SOURCE, ...codec.encoder, ...rtp], { stdio: 'ignore' });
  try {
    await once(sender, 'exit');
    await expect.poll(() => got.length).toBe(PICTURES);
    return got;
  } finally {
    socket.close();
  }
}

/** Those that the RTP muxer and demuxer of every ffmpeg know. */
const OF_FFMPEG = CODECS.filter(({ name }) => name !== 'AV1');

describe.each(CODECS)('$name, as encoders make it', (codec) => {
  it('goes through payloads of any size, and is decoded as it was', async () => {
    const { file, pictures } = await encoded(codec);
    const source = codec.input === 'ivf' ? pictures : picturesOf(codec, file);
    const expected = await decoded(file, codec.input);
    expect(expected).toHaveLength(PICTURES);
    for (const maxBytes of [90, 1150]) {
      const got = through(codec, source, maxBytes);
      expect(got.map(({ keyframe }) => keyframe)).toEqual(source.map((_, at) => at % 10 === 0));
      expect(await decoded(fileOf(codec, got), codec.input)).toEqual(expected);
    }
  });
});

describe.each(OF_FFMPEG)('$name and ffmpeg', (codec) => {
  it('takes what ffmpeg packetises', async () => {
    const got = await fromFfmpeg(codec, []);
    expect(got.filter(({ keyframe }) => keyframe)).toHaveLength(3);
    expect(await decoded(fileOf(codec, got), codec.input)).toHaveLength(PICTURES);
  });

  it('gives ffmpeg payloads that it takes', async () => {
    const { file, pictures } = await encoded(codec);
    const source = codec.input === 'ivf' ? pictures : picturesOf(codec, file);
    const expected = new Set(await decoded(file, codec.input));
    const got = await toFfmpeg(codec, source);
    // It begins somewhere; what comes behind a keyframe is whole.
    expect(got).toHaveLength(2 * PICTURES);
    for (const checksum of got.slice(-PICTURES)) expect(expected).toContain(checksum);
  });
});

it('takes H.264 of packetization mode 0', async () => {
  const [codec] = CODECS;
  if (codec === undefined) throw new Error('no codec');
  const small = { ...codec, encoder: [...codec.encoder, '-x264-params', 'slice-max-size=1000'] };
  const got = await fromFfmpeg(small, ['-rtpflags', 'h264_mode0']);
  expect(await decoded(fileOf(codec, got), 'h264')).toHaveLength(PICTURES);
});

/** Annex B: a picture begins at a slice that is its first one, behind its parameter sets and SEI. */
function picturesOf({ depacketiser, input }: Codec, file: Buffer): Depacketised[] {
  const pictures: Depacketised[] = [];
  const receiver = depacketiser();
  let number = 0;
  let hasSlice = false;
  for (const unit of splitAnnexB(file)) {
    const type = input === 'h264' ? (unit[0] ?? 0) & 0x1f : ((unit[0] ?? 0) >> 1) & 0x3f;
    const isSlice = input === 'h264' ? type === 1 || type === 5 : type < 32;
    const isFirst = isSlice && ((unit[input === 'h264' ? 1 : 2] ?? 0) & 0x80) !== 0;
    if (hasSlice && (!isSlice || isFirst)) {
      number += 1;
      hasSlice = false;
    }
    hasSlice ||= isSlice;
    pictures.push(...receiver.push(unit, false, number));
  }
  return [
    ...pictures,
    ...receiver.push(Buffer.from(input === 'h264' ? [9, 0xf0] : [0x46, 1, 0x50]), false, number + 1),
  ];
}

/** What ffmpeg's own depacketiser and decoder make of our payloads, sent again and again until it has enough. */
async function toFfmpeg({ packetise, name }: Codec, pictures: readonly Depacketised[]): Promise<string[]> {
  const free = await udpSocket();
  const { port } = free.address();
  free.close();
  await once(free, 'close');
  const encoding = name === 'HEVC' ? 'H265' : name.replace('.', '');
  const fmtp = name === 'H.264' ? 'a=fmtp:96 packetization-mode=1\r\n' : '';
  const connection = 'c=IN IP4 127.0.0.1\r\nt=0 0';
  const sdp = `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\n${connection}\r\nm=video ${port} RTP/AVP 96\r\na=rtpmap:96 ${encoding}/90000\r\n${fmtp}`;
  const input = ['-protocol_whitelist', 'pipe,rtp,udp', '-analyzeduration', '300000', '-f', 'sdp', '-i', 'pipe:0'];
  const output = ['-vsync', 'passthrough', '-frames:v', String(2 * PICTURES), '-f', 'framemd5', '-'];
  const reader = spawn('ffmpeg', ['-v', 'error', '-strict', 'experimental', ...input, ...output], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const text: Buffer[] = [];
  reader.stdout.on('data', (bytes: Buffer) => text.push(bytes));
  reader.stdin.end(sdp);
  const closed = once(reader, 'close');
  const socket = await udpSocket();
  let number = 0;
  let sequence = 0;
  const timer = setInterval(() => {
    const picture = pictures[number % pictures.length];
    if (picture === undefined) return;
    for (const { pieces, marker } of packetise(picture, 1150, number)) {
      const header = Buffer.alloc(12);
      const fields = { payloadType: 96, sequence: sequence & 0xffff, ssrc: 7 as Ssrc };
      writeRtpHeader(header, { ...fields, marker, timestamp: (number * 3000) >>> 0 });
      socket.send([header, ...pieces], port, '127.0.0.1');
      sequence += 1;
    }
    number += 1;
  }, 8);
  try {
    await closed;
  } finally {
    clearInterval(timer);
    socket.close();
  }
  return checksums(Buffer.concat(text));
}
