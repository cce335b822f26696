/** From this address to that. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

const range = (first: string, last: string): AddressRange => ({ first, last });

/**
 * Addresses that are not of the public internet, RFC 6890: private, loopback, link-local, shared, for documentation and
 * tests, reserved; and those of IPv6 that lead to an address of IPv4 by another way.
 *
 * coturn takes a range of IPv6 that begins at `::` for one without a beginning, with all of IPv4 in it, and compares the
 * others byte by byte: none begins there, and each is a prefix.
 */
export const SPECIAL_RANGES: readonly AddressRange[] = [
  range('0.0.0.0', '0.255.255.255'),
  range('10.0.0.0', '10.255.255.255'),
  range('100.64.0.0', '100.127.255.255'),
  range('127.0.0.0', '127.255.255.255'),
  range('169.254.0.0', '169.254.255.255'),
  range('172.16.0.0', '172.31.255.255'),
  range('192.0.0.0', '192.0.0.255'),
  range('192.0.2.0', '192.0.2.255'),
  range('192.88.99.0', '192.88.99.255'),
  range('192.168.0.0', '192.168.255.255'),
  range('198.18.0.0', '198.19.255.255'),
  range('198.51.100.0', '198.51.100.255'),
  range('203.0.113.0', '203.0.113.255'),
  range('240.0.0.0', '255.255.255.255'),
  range('::1', '::1'),
  range('::ffff:0.0.0.0', '::ffff:255.255.255.255'),
  range('64:ff9b::', '64:ff9b::ffff:ffff'),
  range('64:ff9b:1::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'),
  range('100::', '100::ffff:ffff:ffff:ffff'),
  range('2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'),
  range('2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'),
  range('2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
  range('fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
  range('fe80::', 'febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
];
