/** The addresses that an admin allowed to be searched. Pure. */
import ipaddr from 'ipaddr.js';
import { type Fault, InvalidDataError } from '../../../engine/errors.ts';

/** All ranges together: as many as one /22 holds. */
export const MOST_ADDRESSES = 1024;
const WIDEST_PREFIX = 22;
/** RFC 1918; link-local, shared and public addresses are never searched. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
const LOOPBACK = '127.0.0.0/8';

export type AllowedAddresses = {
  /** In order, without the network's own and its broadcast address. */
  addresses: readonly string[];
  /** Whether an address lies within. */
  has(address: string): boolean;
};

/**
 * @param texts IPv4 ranges (`192.168.1.0/24`) or single addresses.
 * @param options `loopback`: for tests; the box's own address is never a meter.
 * @throws InvalidDataError that names each fault.
 */
export function parseRanges(texts: readonly string[], options: { loopback?: boolean } = {}): AllowedAddresses {
  const faults: Fault[] = [];
  const addresses = new Set<string>();
  for (const [i, text] of texts.entries()) {
    const found = addressesOf(text.trim(), options.loopback ?? false);
    if (typeof found === 'string') faults.push({ where: `ranges[${i}]`, problem: `"${text}" ${found}` });
    else for (const address of found) addresses.add(address);
  }
  if (texts.length === 0) faults.push({ where: 'ranges', problem: 'are empty' });
  if (addresses.size > MOST_ADDRESSES)
    faults.push({ where: 'ranges', problem: `hold ${addresses.size} addresses, more than ${MOST_ADDRESSES}` });
  if (faults.length > 0)
    throw new InvalidDataError(
      `The ranges have faults: ${faults.map(({ problem }) => problem).join('; ')}.`,
      'Give private IPv4 ranges of at most 1,024 addresses, e.g. 192.168.1.0/24.',
      faults,
    );
  return { addresses: [...addresses], has: (address) => addresses.has(address) };
}

function addressesOf(text: string, loopback: boolean): string[] | string {
  const [address = '', length = '32'] = text.split('/');
  const prefix = Number(length);
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) || !/^\d{1,2}$/.test(length) || prefix > 32)
    return 'is no IPv4 range';
  if (prefix < WIDEST_PREFIX) return `is wider than /${WIDEST_PREFIX}`;
  const parsed = ipaddr.IPv4.parse(address);
  const allowed = loopback ? [...PRIVATE, LOOPBACK] : PRIVATE;
  if (!allowed.some((range) => parsed.match(ipaddr.IPv4.parseCIDR(range)))) return 'is no private range';
  const size = 2 ** (32 - prefix);
  const first = Math.floor(numberOf(parsed) / size) * size;
  const edge = size > 2 ? 1 : 0;
  return Array.from({ length: size - 2 * edge }, (_, i) => textOf(first + edge + i));
}

function numberOf(address: ipaddr.IPv4): number {
  return address.octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** The ranges that the machine itself is in, from its addresses with prefix, at most a /22 each: a suggestion only. */
export function suggestRanges(cidrs: readonly string[]): string[] {
  const ranges = cidrs.flatMap((cidr) => {
    const [address = '', length = ''] = cidr.split('/');
    const prefix = Math.max(Number(length) || 24, 24);
    const found = addressesOf(`${address}/${prefix}`, false);
    if (typeof found === 'string') return [];
    return [`${ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefix}`).toString()}/${prefix}`];
  });
  return [...new Set(ranges)];
}
