import { expect, test } from 'vitest';
import {
  acknowledgement,
  setBufferLength,
  setChunkSize,
  setPeerBandwidth,
  USER_CONTROL,
  userControl,
  windowAcknowledgementSize,
} from './control.js';

const HEADER = '02000000';

test.each([
  ['Set Chunk Size', setChunkSize(65_536), '000004' + '01' + '00000000' + '00010000'],
  ['Acknowledgement', acknowledgement(2 ** 32 + 7), '000004' + '03' + '00000000' + '00000007'],
  ['Window Acknowledgement Size', windowAcknowledgementSize(2_500_000), '000004' + '05' + '00000000' + '002625a0'],
  ['Set Peer Bandwidth', setPeerBandwidth(2_500_000), '000005' + '06' + '00000000' + '002625a0' + '02'],
  ['Stream Begin', userControl(USER_CONTROL.streamBegin, 1), '000006' + '04' + '00000000' + '0000' + '00000001'],
  ['Ping Response', userControl(USER_CONTROL.pingResponse, 0xfffffffe), '000006' + '0400000000' + '0007' + 'fffffffe'],
  ['Set Buffer Length', setBufferLength(1, 3000), '00000a' + '04' + '00000000' + '0003' + '00000001' + '00000bb8'],
])('%s', (_, bytes, expected) => {
  expect(bytes.toString('hex')).toBe(HEADER + expected);
});
