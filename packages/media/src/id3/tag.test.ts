import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaError } from '../errors.js';
import { type Id3Frame, readId3, writeId3 } from './tag.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A tag of the given version around frames. */
function tag(version: number, flags: number, body: Buffer): Buffer {
  return Buffer.concat([
    bytes('ID3'),
    Buffer.from([version, 0, flags, 0, 0, body.length >> 7, body.length & 0x7f]),
    body,
  ]);
}

describe('ID3', () => {
  it('writes what the specification draws', () => {
    expect(writeId3([{ id: 'PRIV', owner: 'a.b', data: Buffer.from([1, 2]) }])).toEqual(
      Buffer.concat([bytes('ID3\x04\0\0\0\0\0\x10PRIV\0\0\0\x06\0\0a.b\0'), Buffer.from([1, 2])]),
    );
    expect(writeId3([{ id: 'TXXX', description: 'é', value: 'ü' }])).toEqual(
      Buffer.concat([bytes('ID3\x04\0\0\0\0\0\x10TXXX\0\0\0\x06\0\0\x03'), Buffer.from('é\0ü')]),
    );
  });

  it('reads back what it writes, whatever that is', () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 300 })
      .map((value) => value.replaceAll('\0', '').replace(/^\ufeff+/, ''));
    const ascii = fc.stringMatching(/^[a-z.]*$/);
    const blob = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
    const frame: fc.Arbitrary<Id3Frame> = fc.oneof(
      fc.record({ id: fc.constant('TXXX' as const), description: text, value: text }),
      fc.record({ id: fc.constant('PRIV' as const), owner: ascii, data: blob }),
      fc.record({ id: fc.constant('GEOB'), content: blob }),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), (frames) => {
        expect(readId3(writeId3(frames))).toEqual(frames);
      }),
    );
  });

  it('reads what others write: version 2.3, UTF-16, unsynchronisation, padding, extended headers', () => {
    const utf16 = Buffer.concat([
      Buffer.from([1, 0xff, 0xfe]),
      Buffer.from('hé\0', 'utf16le'),
      Buffer.from([0xfe, 0xff, 0, 0x78]),
    ]);
    const frame23 = Buffer.concat([bytes('TXXX\0\0\0'), Buffer.from([utf16.length, 0, 0]), utf16, Buffer.alloc(20)]);
    expect(readId3(tag(3, 0, frame23))).toEqual([{ id: 'TXXX', description: 'hé', value: 'x' }]);
    const unsynchronised = bytes('PRIV\0\0\0\x06\0\x02a\0\xff\0\xff\0');
    expect(readId3(tag(4, 0, unsynchronised))).toEqual([{ id: 'PRIV', owner: 'a', data: Buffer.from([0xff, 0xff]) }]);
    const extended = Buffer.concat([Buffer.from([0, 0, 0, 6, 1, 0]), bytes('PRIV\0\0\0\x02\0\0a\0')]);
    expect(readId3(tag(4, 0x40, extended))).toEqual([{ id: 'PRIV', owner: 'a', data: Buffer.alloc(0) }]);
  });

  it('is read by ffprobe', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-id3-'));
    const file = join(directory, 'tagged.mp3');
    await promisify(execFile)('ffmpeg', [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'sine=duration=0.2',
      '-id3v2_version',
      '0',
      file,
    ]);
    await writeFile(
      file,
      Buffer.concat([writeId3([{ id: 'TXXX', description: 'score', value: '2–1 für uns' }]), await readFile(file)]),
    );
    const { stdout } = await promisify(execFile)('ffprobe', [
      '-v',
      'error',
      '-show_entries',
      'format_tags',
      '-of',
      'json',
      file,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ format: { tags: { score: '2–1 für uns' } } });
    await rm(directory, { recursive: true });
  });

  it.each([
    ['no tag', bytes('OggS and more'), 'malformed'],
    ['an old one', tag(2, 0, Buffer.alloc(0)), 'unsupported'],
    ['one cut off', writeId3([{ id: 'PRIV', owner: 'x', data: Buffer.alloc(9) }]).subarray(0, 20), 'truncated'],
    ['a frame that goes on too long', tag(4, 0, bytes('PRIV\0\0\x01\0\0\0a\0')), 'truncated'],
    ['a size with eight bits', tag(4, 0, bytes('PRIV\0\0\0\xff\0\0a\0')), 'malformed'],
    ['text of no known encoding', tag(4, 0, bytes('TXXX\0\0\0\x02\0\0\x09a')), 'malformed'],
  ])('refuses %s', (_what, input, code) => {
    expect(() => readId3(input)).toThrow(expect.objectContaining({ name: 'MediaError', code }));
  });

  it('bears anything', () => {
    const body = fc.array(fc.oneof(fc.constantFrom(...bytes('TXXXPRIV'), 0, 1, 0xff), fc.nat(255)), { maxLength: 100 });
    fc.assert(
      fc.property(fc.constantFrom(3, 4), fc.nat(255), body, (version, flags, content) => {
        try {
          readId3(tag(version, flags, Buffer.from(content)));
        } catch (error) {
          expect(error).toBeInstanceOf(MediaError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
