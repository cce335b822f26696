import { CounterCipher } from './counter-cipher.js';
import { GcmCipher } from './gcm-cipher.js';
import type { PacketCipher } from './packet-cipher.js';
import type { SrtpMasterKey } from './profile.js';

/** The cipher of what a handshake has settled. */
export function makeCipher(master: SrtpMasterKey): PacketCipher {
  return master.profile === 'AEAD_AES_128_GCM' ? new GcmCipher(master) : new CounterCipher(master);
}
