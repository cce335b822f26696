import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WebRtcError } from '../errors.js';
import { writeAnswer } from './answer.js';
import { readOffer, transportSequenceIdOf } from './offer.js';

/** As Chromium writes it, shortened. */
const OFFER = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=extmap-allow-mixed',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 0',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:1234',
  'a=ice-pwd:EsAw/S1hSgH6gSuwhoGOVpK7',
  'a=ice-options:trickle',
  'a=fingerprint:sha-256 AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89',
  'a=setup:actpass',
  'a=mid:0',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtcp-fb:111 transport-cc',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=rtpmap:0 PCMU/8000',
  'm=video 9 UDP/TLS/RTP/SAVPF 102 103 96',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:1234',
  'a=ice-pwd:EsAw/S1hSgH6gSuwhoGOVpK7',
  'a=fingerprint:sha-256 AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89',
  'a=setup:actpass',
  'a=mid:1',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:102 H264/90000',
  'a=rtcp-fb:102 nack',
  'a=rtcp-fb:102 nack pli',
  'a=rtcp-fb:102 something else',
  'a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
  'a=rtpmap:103 rtx/90000',
  'a=fmtp:103 apt=102',
  'a=rtpmap:96 VP8/90000',
];
const text = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n`;

const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';

const answerTo = (sdp: string, kinds: readonly string[], extensions: readonly string[] = [MID]) => {
  const offer = readOffer(sdp);
  return writeAnswer({
    offer,
    media: offer.media.map((offered) => {
      const [codec] = offered.codecs;
      if (codec === undefined || !kinds.includes(offered.kind)) return undefined;
      const source = { ssrc: 11, retransmissionSsrc: 12, cname: 'sluice' };
      return { offered, codec, direction: 'sendonly', extensions, source };
    }),
    ice: { ufrag: 'us', password: 'secret' },
    fingerprint: 'AA:BB',
    setup: 'passive',
    candidates: [
      { protocol: 'udp', address: '192.0.2.1', port: 8000 },
      { protocol: 'tcp', address: '2001:db8::1', port: 8000 },
    ],
    sessionId: 5,
  });
};

describe('SDP', () => {
  it('reads what a browser offers', () => {
    const offer = readOffer(text(OFFER));
    expect(offer).toMatchObject({ ufrag: '1234', setup: 'actpass', fingerprint: { algorithm: 'sha-256' } });
    expect(offer.media.map(({ kind, mid, direction }) => [kind, mid, direction])).toEqual([
      ['audio', '0', 'recvonly'],
      ['video', '1', 'recvonly'],
    ]);
    const [audio, video] = offer.media;
    expect(audio?.codecs[0]).toMatchObject({ name: 'opus', clockRate: 48_000, channels: 2, payloadType: 111 });
    expect(audio?.extensions.get('urn:ietf:params:rtp-hdrext:sdes:mid')).toBe(4);
    expect(video?.codecs[0]).toMatchObject({ name: 'H264', retransmission: 103 });
    expect(video?.codecs[0]?.feedback).toContain('nack pli');
    expect(video?.codecs[0]?.parameters.get('profile-level-id')).toBe('42e01f');
  });

  it('has codecs in the order of preference', () => {
    const preferred = text(OFFER).replace('SAVPF 102 103 96', 'SAVPF 96 102 103');
    const namesOf = (sdp: string) => readOffer(sdp).media[1]?.codecs.map(({ name }) => name);
    expect(namesOf(text(OFFER))).toEqual(['H264', 'VP8']);
    expect(namesOf(preferred)).toEqual(['VP8', 'H264']);
  });

  it('answers with what was chosen, and refuses the rest in its place', () => {
    const answer = answerTo(text(OFFER), ['video']).split('\r\n');
    expect(answer).toEqual(
      expect.arrayContaining([
        'a=ice-lite',
        'a=group:BUNDLE 1',
        'm=audio 0 UDP/TLS/RTP/SAVPF 111',
        'm=video 9 UDP/TLS/RTP/SAVPF 102 103',
        'a=rtcp-fb:102 nack pli',
        'a=ssrc-group:FID 11 12',
        'a=setup:passive',
        'a=fingerprint:sha-256 AA:BB',
      ]),
    );
    expect(answer.join()).not.toContain('something else');
    expect(answer.filter((line) => line.startsWith('a=candidate'))).toEqual([
      expect.stringMatching(/^a=candidate:1 1 udp \d+ 192\.0\.2\.1 8000 typ host$/),
      expect.stringMatching(/^a=candidate:2 1 tcp \d+ 2001:db8::1 8000 typ host tcptype passive$/),
    ]);
    expect(answerTo(text(OFFER), ['audio', 'video'])).toContain('a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid');
  });

  it('agrees on one way of congestion control', () => {
    const uri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
    const lines = OFFER.flatMap((line) => {
      if (line !== 'a=rtcp-fb:102 nack') return [line];
      return [line, 'a=rtcp-fb:102 transport-cc', 'a=rtcp-fb:102 goog-remb', `a=extmap:3 ${uri}`];
    });
    const offer = readOffer(text(lines));
    const ids = offer.media.map((media) => media.codecs[0] && transportSequenceIdOf(media, media.codecs[0]));
    // The sound has the feedback, but not the extension.
    expect(ids).toEqual([undefined, 3]);
    const answerWith = (extensions: readonly string[]) => answerTo(text(lines), ['video'], extensions).split('\r\n');
    expect(answerWith([uri])).toEqual(expect.arrayContaining(['a=rtcp-fb:102 transport-cc', `a=extmap:3 ${uri}`]));
    expect(answerWith([uri])).not.toContain('a=rtcp-fb:102 goog-remb');
    expect(answerWith([])).toContain('a=rtcp-fb:102 goog-remb');
    expect(answerWith([])).not.toContain('a=rtcp-fb:102 transport-cc');
  });

  it.each([
    ['', 'v=0'],
    ['hello', 'v=0'],
    [text(OFFER.slice(0, 6)), 'no media'],
    [text(OFFER.filter((line) => !line.startsWith('a=ice-pwd'))), 'ice-pwd'],
    [text(OFFER.filter((line) => !line.startsWith('a=fingerprint'))), 'fingerprint'],
    [text(OFFER.filter((line) => !line.startsWith('a=group'))), 'not bundled'],
    [text(OFFER).replaceAll('actpass', 'holdconn'), 'setup:holdconn'],
    [text([...OFFER, ...Array.from({ length: 40 }, () => 'm=video 9 UDP/TLS/RTP/SAVPF 96')]), 'more than 32'],
    [`v=0\r\n${'a=x:y\r\n'.repeat(30_000)}`, '131072'],
  ])('says what is wrong with one (%#)', (sdp, what) => {
    expect(() => readOffer(sdp)).toThrow(WebRtcError);
    expect(() => readOffer(sdp)).toThrow(what);
  });

  it('bears anything', () => {
    const line = fc.oneof(
      fc.constantFrom(...OFFER),
      fc.string({ maxLength: 40 }).map((value) => `a=${value}`),
    );
    const fields = fc.constantFrom(
      'rtpmap',
      'fmtp',
      'rtcp-fb',
      'extmap',
      'group',
      'mid',
      'setup',
      'fingerprint',
      'ssrc',
    );
    const odd = fc.tuple(fields, fc.string({ maxLength: 30 })).map(([name, value]) => `a=${name}:${value}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(line, odd), { maxLength: 60 }), (lines) => {
        for (const sdp of [text(['v=0', ...lines]), text([...OFFER.slice(0, 20), ...lines, ...OFFER.slice(20)])]) {
          try {
            answerTo(sdp, ['audio', 'video']);
          } catch (error) {
            expect(error).toBeInstanceOf(WebRtcError);
          }
        }
      }),
      { numRuns: 5000 },
    );
  });
});
