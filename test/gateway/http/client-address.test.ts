import { describe, expect, it } from 'vitest';
import { parseTrustedProxies } from '../../../gateway/http/client-address.ts';

describe('client address', () => {
  it.each<[string, string[], string | undefined, string | undefined, string]>([
    ['the socket where no proxy is trusted', [], '192.168.1.9', '6.6.6.6', '192.168.1.9'],
    ['the forwarded one behind a trusted proxy', ['10.0.0.2'], '10.0.0.2', '192.168.1.9', '192.168.1.9'],
    ['not what the client itself wrote', ['10.0.0.2'], '10.0.0.2', '127.0.0.1, 192.168.1.9', '192.168.1.9'],
    ['the one before a chain of proxies', ['10.0.0.0/8'], '10.0.0.2', '7.7.7.7, 10.1.1.1', '7.7.7.7'],
    ['the proxy when the header is nonsense', ['10.0.0.2'], '10.0.0.2', 'unknown', '10.0.0.2'],
    ['IPv4 in IPv6', ['10.0.0.2'], '::ffff:10.0.0.2', '::ffff:1.2.3.4', '1.2.3.4'],
    ['IPv6 with port', ['fd00::/8'], 'fd00::1', '[2001:db8::1]:443', '2001:db8::1'],
    ['nothing for no socket', [], undefined, '1.2.3.4', ''],
  ])('is %s', (_, proxies, socket, forwarded, address) => {
    expect(parseTrustedProxies(proxies).of(socket, forwarded)).toBe(address);
  });

  it.each(['proxy.local', '10.0.0.0/33', '', '10.0.0.1/x'])('refuses %j as a proxy', (entry) => {
    expect(() => parseTrustedProxies([entry])).toThrow(/is no address/);
  });
});
