import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpError } from '../errors.js';
import { writeRtcp } from '../wire/rtcp.js';
import { RTP_HEADER_BYTES, type Ssrc, writeRtpHeader } from '../wire/rtp.js';
import { type SrtpMasterKey, type SrtpProfile, sessionKeys } from './profile.js';
import { SrtpReceiver } from './srtp-receiver.js';
import { SrtpSender } from './srtp-sender.js';

const PROFILES: readonly SrtpProfile[] = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'];

const masterOf = (profile: SrtpProfile): SrtpMasterKey => ({
  profile,
  key: randomBytes(16),
  salt: randomBytes(profile === 'AEAD_AES_128_GCM' ? 12 : 14),
});

function packet(sender: SrtpSender, sequence: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(RTP_HEADER_BYTES);
  writeRtpHeader(header, { marker: false, payloadType: 96, sequence, timestamp: sequence * 3000, ssrc: 77 });
  return Buffer.concat([header, ...sender.protect(header, [payload.subarray(0, 3), payload.subarray(3)])]);
}

describe('SRTP', () => {
  it('derives the keys of RFC 3711, appendix B.3', () => {
    const master: SrtpMasterKey = {
      profile: 'AES_CM_128_HMAC_SHA1_80',
      key: Buffer.from('e1f97a0d3e018be0d64fa32c06de4139', 'hex'),
      salt: Buffer.from('0ec675ad498afeebb6960b3aabe6', 'hex'),
    };
    const { encryption, salt, authentication } = sessionKeys(master, 'rtp');
    expect(encryption.toString('hex')).toBe('c61e7a93744f39ee10734afe3ff7a087');
    expect(salt.toString('hex')).toBe('30cbbc08863d8c85d49db34a9ae1');
    expect(authentication.toString('hex')).toBe('cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  it.each(PROFILES)('%s brings packets over, once each, over the wrap of their numbers and out of order', (profile) => {
    const master = masterOf(profile);
    const [sender, receiver] = [new SrtpSender(master), new SrtpReceiver(master)];
    const sent: Buffer[] = [];
    for (let number = 65_000; number < 67_000; number++) {
      sent.push(packet(sender, number & 0xffff, Buffer.from(`payload ${number}`)));
    }
    for (let at = 0; at + 1 < sent.length; at += 2) {
      for (const which of [at + 1, at]) {
        const datagram = sent[which] ?? Buffer.alloc(0);
        const { payload, sequence } = receiver.open(datagram);
        expect([payload.toString(), sequence]).toEqual([`payload ${65_000 + which}`, (65_000 + which) & 0xffff]);
        expect(() => receiver.open(datagram)).toThrow(/was there before/);
      }
    }
  });

  it.each(PROFILES)('%s brings RTCP over, once', (profile) => {
    const master = masterOf(profile);
    const [sender, receiver] = [new SrtpSender(master), new SrtpReceiver(master)];
    const pli = writeRtcp([{ type: 'pli', sender: 1 as Ssrc, media: 2 as Ssrc }]);
    const sealed = sender.protectRtcp(pli);
    expect(receiver.openRtcp(sealed).equals(pli)).toBe(true);
    expect(() => receiver.openRtcp(sealed)).toThrow(/was there before/);
  });

  it.each(PROFILES)('%s takes nothing that was changed, and bears anything', (profile) => {
    const master = masterOf(profile);
    const sender = new SrtpSender(master);
    const good = packet(sender, 5, Buffer.from('a payload of some bytes'));
    const report = sender.protectRtcp(writeRtcp([{ type: 'bye', ssrcs: [3 as Ssrc] }]));
    for (const [original, open] of [
      [good, (bytes: Buffer) => new SrtpReceiver(master).open(bytes)],
      [report, (bytes: Buffer) => new SrtpReceiver(master).openRtcp(bytes)],
    ] as const) {
      for (let at = 0; at < original.length; at++) {
        const bad = Buffer.from(original);
        bad[at] = (bad[at] ?? 0) ^ 0x10;
        expect(() => open(bad), `byte ${at}`).toThrow(RtpError);
        expect(() => open(original.subarray(0, at))).toThrow(RtpError);
      }
      expect(() => open(original)).not.toThrow();
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
          expect(() => open(Buffer.from(bytes))).toThrow(RtpError);
        }),
      );
    }
  });

  it('opens what ffmpeg seals', async () => {
    const master = masterOf('AES_CM_128_HMAC_SHA1_80');
    const receiver = new SrtpReceiver(master);
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const params = Buffer.concat([master.key, master.salt]).toString('base64');
    const child = spawn(
      'ffmpeg',
      [
        ...['-v', 'error', '-f', 'lavfi', '-i', 'sine=frequency=440', '-t', '1', '-c:a', 'libopus', '-f', 'rtp'],
        ...['-srtp_out_suite', 'AES_CM_128_HMAC_SHA1_80', '-srtp_out_params', params],
        `srtp://127.0.0.1:${socket.address().port}`,
      ],
      { stdio: 'ignore' },
    );
    const sequences: number[] = [];
    socket.on('message', (datagram) => sequences.push(receiver.open(datagram).sequence));
    await once(child, 'exit');
    await expect.poll(() => sequences.length).toBeGreaterThan(40);
    socket.close();
    for (const [at, number] of sequences.slice(1).entries()) {
      expect(number).toBe(((sequences[at] ?? 0) + 1) & 0xffff);
    }
  });
});
