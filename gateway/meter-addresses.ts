/**
 * Where a meter over HTTP may be: it lives in the building's network, so private addresses are its home and need nobody's
 * leave. The box itself (loopback and its own addresses) and link-local addresses, where clouds keep the credentials of a
 * machine, are refused, because whoever may add a meter shall not make the box ask services that trust it. An admin can
 * allow such a host as for all requests of the box (`outbound.ts`), but never the box's own ports or the metadata services.
 */
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { NotAllowedError } from '../engine/errors.ts';
import { bareHost, checkedLookup, isAllowedHost, type Resolve, systemResolve } from './outbound.ts';

export type MeterAddresses = {
  /** @throws NotAllowedError for a host that may not be asked as a meter */
  check(host: string, port: number): Promise<readonly { address: string; family: number }[]>;
  /** What a connection to that port asks: the address that is checked is the one that is connected to. */
  lookup(port: number): LookupFunction;
};
export type MeterAddressesOptions = {
  /** Hosts that an admin allowed. Asked each time. */
  allowed: () => readonly string[];
  /** Where the box listens. Asked each time. */
  own_ports: () => readonly number[];
  resolve?: Resolve;
  /** The addresses of this machine. */
  own_addresses?: () => readonly string[];
};

/** Credentials of the machine in clouds: AWS and others, AWS over IPv6, Alibaba. */
const METADATA = ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200'].map((address) => normal(address));
const HOMES = ['unicast', 'private', 'uniqueLocal', 'carrierGradeNat'];

export function createMeterAddresses(options: MeterAddressesOptions): MeterAddresses {
  const { allowed, own_ports, resolve = systemResolve, own_addresses = systemAddresses } = options;

  /** Why not, and whether an admin could change that. */
  function refusal(address: string, port: number): { what: string; final: boolean } | null {
    const range = ipaddr.process(address).range();
    const own =
      range === 'loopback' || range === 'unspecified' || own_addresses().some((one) => normal(one) === normal(address));
    if (METADATA.includes(normal(address))) return { what: 'a metadata service, which is no meter', final: true };
    if (own && own_ports().includes(port)) return { what: 'this box itself', final: true };
    if (own) return { what: 'the machine of this box', final: false };
    return HOMES.includes(range) ? null : { what: `no address for a meter (${range})`, final: false };
  }
  async function check(host: string, port: number) {
    const bare = bareHost(host);
    const found = isIP(bare) ? [{ address: bare, family: isIP(bare) }] : await resolve(bare);
    for (const { address } of found) {
      const refused = refusal(address, port);
      if (!refused || (!refused.final && isAllowedHost(allowed(), bare, port))) continue;
      const where = address === bare ? bare : `${bare} leads to ${address}, which`;
      throw new NotAllowedError(
        `${where} is ${refused.what}.`,
        refused.final
          ? 'Give the address of the meter.'
          : 'Give the address of the meter. If a service on this host speaks for it, allow the host under Admin, Hosts.',
      );
    }
    return found;
  }
  return { check, lookup: (port) => checkedLookup(check, port) };
}

/** One form for one address: `::ffff:10.0.0.1` is 10.0.0.1. */
function normal(address: string): string {
  return ipaddr.process(address).toNormalizedString();
}

function systemAddresses(): string[] {
  // A zone (fe80::1%eth0) is none of the address.
  return Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address.split('%')[0]!));
}
