import { describe, expect, it } from 'vitest';
import { SdpExchangeError } from '../webrtc/sdp-exchange.js';
import { CaptureError } from './capture.js';
import { faultMessage, limitationText } from './publish-messages.js';
import { ConnectionError } from './whip-connection.js';

const refused = (status: number, reason = 'a-reason') =>
  faultMessage(new SdpExchangeError('refused', 'no', { status, reason }), 'host');

describe('faultMessage', () => {
  it.each([
    ['insecure', /secure pages only/],
    ['denied', /may not use/],
    ['no-device', /no such camera/],
    ['busy', /in use/],
    ['no-screen', /share a screen/],
    ['failed', /to be had/],
  ] as const)('tells why there is nothing to show: %s', (code, text) => {
    expect(faultMessage(new CaptureError(code, 'x'), 'host').headline).toMatch(text);
  });

  it('says where a secure page would be', () => {
    expect(faultMessage(new CaptureError('insecure', 'x'), 'host').detail).toContain('https://host:8088');
  });

  it.each([
    [400, /can’t take/],
    [401, /not taken/],
    [403, /may not/],
    [404, /no streams by WebRTC/],
    [406, /none of this browser’s formats/],
    [409, /Somebody else/],
    [429, /no more streams/],
    [503, /going down/],
    [418, /refused: 418/],
  ])('tells the refusal %d', (status, text) => {
    expect(refused(status).headline).toMatch(text);
  });

  it('tells who showed no key from whose key is wrong', () => {
    expect(refused(401, 'credential-missing').headline).toBe('You need a key to publish here.');
    expect(refused(401, 'credential-expired').detail).toBe('The server says: no.');
  });

  it.each([
    [new ConnectionError('lost', ''), /lost/],
    [new ConnectionError('no-h264', ''), /H\.264/],
    [new ConnectionError('no-connection', ''), /no media gets through/],
    [new SdpExchangeError('unreachable', ''), /does not answer/],
    [new SdpExchangeError('bad-answer', ''), /don’t understand/],
    [new Error('x'), /did not work/],
  ])('tells %s', (error, text) => {
    expect(faultMessage(error, '').headline).toMatch(text);
  });
});

describe('limitationText', () => {
  it('is silent where nothing limits, and says what to do about the device', () => {
    expect(limitationText('none')).toBeUndefined();
    expect(limitationText('cpu')).toMatch(/smaller picture/);
    expect(limitationText('bandwidth')).toMatch(/connection/);
  });
});
