/** The address of whoever sent a request; forwarded headers count only from proxies that the configuration names. */
import { BlockList, isIP } from 'node:net';
import { ConfigError } from '../../engine/errors.ts';

export type ClientAddress = {
  /** @param forwarded the header X-Forwarded-For, left to right as the proxies appended it */
  of(socket: string | undefined, forwarded: string | undefined): string;
  isTrusted(socket: string | undefined): boolean;
};

/** @throws ConfigError for an entry that is neither an address nor a CIDR range. */
export function parseTrustedProxies(entries: readonly string[]): ClientAddress {
  const trusted = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const length = bits === undefined ? null : Number(bits);
    const limit = kind === 'ipv6' ? 128 : 32;
    if (isIP(address) === 0 || (length !== null && !(Number.isInteger(length) && length >= 0 && length <= limit)))
      throw new ConfigError(`trusted_proxies: "${entry}" is no address.`, 'Write e.g. 10.0.0.2 or 10.0.0.0/8.');
    if (length === null) trusted.addAddress(address, kind);
    else trusted.addSubnet(address, length, kind);
  }
  const isTrusted = (socket: string | undefined) => {
    const address = plain(socket ?? '');
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
  return {
    isTrusted,
    of(socket, forwarded) {
      let address = plain(socket ?? '');
      // From the right: each hop vouches only for the one before it.
      for (const hop of (forwarded ?? '').split(',').reverse()) {
        if (!isTrusted(address)) break;
        const before = plain(hop);
        if (isIP(before) === 0) break;
        address = before;
      }
      return address;
    },
  };
}

/** What proxies add to a request that they pass on. */
const PASSED_ON = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

/**
 * Whether a request comes from the box itself. One that a proxy on the box passed on does not: who stands behind it
 * may be anybody, whether or not the proxy is trusted.
 */
export function isFromBox(client: string, header: (name: string) => string | undefined): boolean {
  const loopback = client === '::1' || /^(::ffff:)?127\./.test(client);
  return loopback && PASSED_ON.every((name) => header(name) === undefined);
}

/** Without port, brackets, zone and the IPv4-in-IPv6 prefix. */
function plain(text: string): string {
  const bare = text
    .trim()
    .replace(/^\[([^\]]+)\](:\d+)?$/, '$1')
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '');
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(bare) ? bare.replace(/:\d+$/, '') : bare;
}
