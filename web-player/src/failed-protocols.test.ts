import { describe, expect, it } from 'vitest';
import { FailedProtocols, type FailureStorage } from './failed-protocols.js';

function memory(): FailureStorage & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return { kept, getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

describe('FailedProtocols', () => {
  it('remembers them for a server, from page to page', () => {
    const storage = memory();
    new FailedProtocols('https://a', storage).add('webrtc');
    const next = new FailedProtocols('https://a', storage);
    expect([next.has('webrtc'), next.has('flv'), next.size]).toEqual([true, false, 1]);
    expect(new FailedProtocols('https://b', storage).size).toBe(0);
    next.clear();
    expect(new FailedProtocols('https://a', storage).size).toBe(0);
  });

  it('bears a storage that holds something else, or refuses', () => {
    const storage = memory();
    storage.kept.set('sluice.failed https://a', 'constructor flv {}');
    const failed = new FailedProtocols('https://a', storage);
    expect([failed.has('flv'), failed.size]).toEqual([true, 1]);
    const refuses = () => {
      throw new DOMException('no', 'SecurityError');
    };
    const alone = new FailedProtocols('https://a', { getItem: refuses, setItem: refuses });
    alone.add('webrtc');
    expect(alone.has('webrtc')).toBe(true);
  });
});
