/** A packet's number: 31 bits that wrap. */
export type SequenceNumber = number & { readonly unit: 'sequence' };

const MODULUS = 0x8000_0000;
const HALF = 0x4000_0000;

/** The low 31 bits of a number. */
export function sequence(value: number): SequenceNumber {
  return (value & 0x7fff_ffff) as SequenceNumber;
}

/** The number that comes so many after another one, or before it. */
export function sequenceAdd(from: SequenceNumber, count: number): SequenceNumber {
  return ((((from + count) % MODULUS) + MODULUS) % MODULUS) as SequenceNumber;
}

/** How many `to` comes after `from`; negative where it comes before. They are taken for less than half a turn apart. */
export function sequenceDistance(from: SequenceNumber, to: SequenceNumber): number {
  const distance = to - from;
  if (distance >= HALF) return distance - MODULUS;
  return distance < -HALF ? distance + MODULUS : distance;
}
