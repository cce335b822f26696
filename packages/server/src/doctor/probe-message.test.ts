import fc from 'fast-check';
import { expect, it } from 'vitest';
import { echoOf, readProbe, writeProbe } from './probe-message.js';

it('reads what it writes, answers probes by as many bytes, and bears anything', () => {
  const token = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(token, fc.integer({ min: 0, max: 1500 }), (own, size) => {
      const probe = writeProbe({ kind: 'probe', token: own }, size);
      expect(readProbe(probe)).toEqual({ kind: 'probe', token: own });
      const echo = echoOf(probe) ?? Buffer.alloc(0);
      expect(readProbe(echo)).toEqual({ kind: 'echo', token: own });
      expect(echo.length).toBe(probe.length);
      // Two of them would talk to each other for ever.
      expect(echoOf(echo)).toBeUndefined();
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(echoOf(Buffer.from(bytes))).toBeUndefined();
    }),
  );
});
