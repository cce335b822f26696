import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32Mpeg } from './crc32.js';
import { encodePat, encodePmt } from './psi.js';
import { parsePat, parsePmt, SectionAssembler } from './psi-reader.js';

/** A section without its pointer field. */
const bare = (pointed: Buffer) => pointed.subarray(1);
const withChecksum = (body: Buffer): Buffer => {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32Mpeg(body));
  return Buffer.concat([body, crc]);
};
const descriptors = Buffer.from('0504484556437f028002', 'hex');
const streams = [
  { streamType: 0x1b, pid: 0x100, descriptors: Buffer.alloc(0) },
  { streamType: 0x24, pid: 0x1ffe, descriptors },
];

describe('PSI sections', () => {
  it('have the checksum of the standard', () => {
    expect(crc32Mpeg(Buffer.from('123456789'))).toBe(0x0376e6e7);
    expect(crc32Mpeg(bare(encodePat(1, 0x1000)))).toBe(0);
  });

  it('are the bytes of the standard', () => {
    expect(encodePat(1, 0x1000).toString('hex')).toBe('0000b00d0001c100000001f0002ab104b2');
  });

  it('are read as they were written', () => {
    expect(parsePat(bare(encodePat(7, 0x1abc)))).toEqual([{ number: 7, mapPid: 0x1abc }]);
    const map = parsePmt(bare(encodePmt(7, 0x1ffe, streams)));
    expect(map).toMatchObject({ programNumber: 7, pcrPid: 0x1ffe });
    expect(map?.streams.map(({ streamType, pid, info }) => ({ streamType, pid, descriptors: info }))).toEqual(streams);
    expect(map?.streams[1]?.descriptors.map(({ tag }) => tag)).toEqual([0x05, 0x7f]);
  });

  it('that are not in force yet, or of other tables, are passed over', () => {
    const next = Buffer.from(bare(encodePat(1, 0x1000)));
    next[5] = next[5]! & 0xfe;
    expect(parsePat(next)).toBeUndefined();
    expect(parsePmt(bare(encodePat(1, 0x1000)))).toBeUndefined();
    expect(parsePat(bare(encodePmt(1, 0x100, streams)))).toBeUndefined();
  });

  it('whose lengths contradict each other give what is certain', () => {
    const section = Buffer.from(bare(encodePmt(1, 0x100, streams)));
    const infoLengthAt = 12 + 3;
    section.writeUInt16BE(0xffff, infoLengthAt);
    expect(parsePmt(section)?.streams.length).toBe(1);
    section.writeUInt16BE(0xffff, 10);
    expect(parsePmt(section)?.streams).toEqual([]);
  });

  it('never throw, whatever they hold', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(0, 2), (bytes, table) => {
        const section = Buffer.from(bytes);
        if (section.length > 0) section[0] = table;
        parsePat(section);
        parsePmt(section);
      }),
    );
  });
});

describe('SectionAssembler', () => {
  const section = bare(
    encodePmt(
      1,
      0x100,
      Array.from({ length: 40 }, (_, i) => ({ ...streams[1]!, pid: 0x100 + i })),
    ),
  );
  const pointed = Buffer.concat([Buffer.from([0]), section]);

  it('puts a section together wherever packets cut it', () => {
    expect(section.length).toBeGreaterThan(3 * 184);
    for (let cut = 1; cut < pointed.length; cut++) {
      const assembler = new SectionAssembler();
      const first = assembler.push(pointed.subarray(0, cut), true);
      const rest = assembler.push(pointed.subarray(cut), false);
      expect([...first.sections, ...rest.sections]).toEqual([section]);
    }
  });

  it('ends a section in the packet where the next one begins', () => {
    const assembler = new SectionAssembler();
    assembler.push(pointed.subarray(0, -50), true);
    const next = bare(encodePat(1, 0x1000));
    const packet = Buffer.concat([Buffer.from([50]), pointed.subarray(-50), next, Buffer.alloc(20, 0xff)]);
    expect(assembler.push(packet, true)).toEqual({ sections: [section, next], broken: 0 });
  });

  it('refuses a section with a wrong checksum, and counts it', () => {
    const broken = Buffer.from(pointed);
    broken[30] = broken[30]! ^ 1;
    expect(new SectionAssembler().push(broken, true)).toEqual({ sections: [], broken: 1 });
  });

  it('does not begin in the middle', () => {
    expect(new SectionAssembler().push(section, false)).toEqual({ sections: [], broken: 0 });
    const assembler = new SectionAssembler();
    assembler.push(pointed.subarray(0, 100), true);
    assembler.reset();
    expect(assembler.push(pointed.subarray(100), false)).toEqual({ sections: [], broken: 0 });
  });

  it('takes sections of other tables too, each whole', () => {
    const other = withChecksum(Buffer.from('42f0090001c10000', 'hex'));
    const bytes = Buffer.concat([Buffer.from([0]), other, section]);
    expect(new SectionAssembler().push(bytes, true).sections).toEqual([other, section]);
  });
});
