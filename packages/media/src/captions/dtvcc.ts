/** Of a service block's head: the number and the size of it. CEA-708 §6.2. */
const SIZE_MASK = 0x1f;
const EXTENDED = 7;
const EXTENDED_MASK = 0x3f;

/**
 * The services that have a block in a caption channel packet, as far as the packet is there: what comes with the next
 * picture isn't waited for. CEA-708 §5 and §6.
 *
 * @param packet from its header byte on
 */
export function servicesIn(packet: readonly number[]): number[] {
  const code = (packet[0] ?? 0) & 0x3f;
  const end = Math.min(packet.length, code === 0 ? 128 : code * 2);
  const services: number[] = [];
  for (let at = 1; at < end; ) {
    const head = packet[at] ?? 0;
    const number = head >> 5;
    const size = head & SIZE_MASK;
    // Service 0 fills the packet up.
    if (number === 0) break;
    const isExtended = number === EXTENDED && size > 0;
    const service = isExtended ? (packet[at + 1] ?? 0) & EXTENDED_MASK : number;
    if (size > 0 && service > 0) services.push(service);
    at += 1 + (isExtended ? 1 : 0) + size;
  }
  return services;
}
