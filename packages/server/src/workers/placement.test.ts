import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastBusy, ofAddress } from './placement.js';

const workers = (...connections: number[]) => connections.map((count, at) => ({ id: at + 1, connections: count }));

describe('leastBusy', () => {
  it('takes the one with the fewest connections, and nobody where there is none', () => {
    expect(leastBusy(workers(3, 1, 2))?.id).toBe(2);
    expect(leastBusy(workers(1, 1))?.id).toBe(1);
    expect(leastBusy([])).toBeUndefined();
  });
});

describe('ofAddress', () => {
  const addresses = Array.from({ length: 3000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);

  it('spreads addresses evenly', () => {
    const counts = new Map<number | undefined, number>();
    for (const address of addresses) {
      const id = ofAddress(workers(0, 0, 0), address)?.id;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect(counts.size).toBe(3);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('moves only those whose worker is gone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...addresses), fc.integer({ min: 1, max: 5 }), (address, gone) => {
        const all = workers(0, 0, 0, 0, 0);
        const before = ofAddress(all, address);
        const after = ofAddress(
          all.filter(({ id }) => id !== gone),
          address,
        );
        expect(after?.id === before?.id).toBe(before?.id !== gone);
      }),
    );
  });
});
