import { describe, expect, it } from 'vitest';
import { micros } from '../time.js';
import { eventMessageBox, eventMessageOf } from './event-message.js';

describe('eventMessageOf', () => {
  it('makes messages of ID3 tags and of cues, with the length of the break', () => {
    const data = Buffer.from('/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=', 'base64');
    const cue = { type: 'timed-metadata', kind: 'scte35', at: micros(2_000_000), data } as const;
    const message = eventMessageOf(cue, 7);
    expect(message).toEqual({
      scheme: 'urn:scte:scte35:2013:bin',
      time: 2_000_000,
      duration: 60_293_567,
      id: 7,
      data,
    });
    const box = eventMessageBox(message, 90_000);
    expect(box.subarray(12, 32).toString('hex')).toBe('00015f90000000000002bf200052ccf500000007');
    expect(eventMessageOf({ ...cue, kind: 'id3', data: Buffer.from('ID3') }, 0)).toEqual({
      scheme: 'https://aomedia.org/emsg/ID3',
      time: 2_000_000,
      id: 0,
      data: Buffer.from('ID3'),
    });
  });
});
