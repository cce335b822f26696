import { describe, expect, it } from 'vitest';
import { EventStreamReader } from './event-stream.js';

const TEXT = ': hello\n\nevent: snapshot\ndata: {"a":1}\n\nevent: delta\ndata: one\ndata: two\n\n';

describe('server-sent events', () => {
  it('are read whole, wherever they are cut', () => {
    for (let cut = 0; cut <= TEXT.length; cut++) {
      const reader = new EventStreamReader();
      expect([...reader.push(TEXT.slice(0, cut)), ...reader.push(TEXT.slice(cut))]).toEqual([
        { name: 'snapshot', data: '{"a":1}' },
        { name: 'delta', data: 'one\ntwo' },
      ]);
    }
  });
});
