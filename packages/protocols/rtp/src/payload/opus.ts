import { type Packetise, payloadOf } from './payload.js';

/**
 * A packet is a payload, RFC 7587 §4.2. It can't be split: one that is too large goes as it is, for IP to split. It has
 * no marker, which would tell of sound after a silence that wasn't sent (§4.1).
 */
export const packetiseOpus: Packetise = (packet) => [payloadOf([packet], false)];
