/**
 * The box's own requests to addresses that people or providers give (price, weather, webhook, mail, language model):
 * they leave for public addresses only, unless an admin allowed the private host by name. The address that is checked
 * is the one that is connected to, so a name that resolves elsewhere the second time (DNS rebinding) gains nothing,
 * and a redirect is checked like a first request. (OWASP Server-Side Request Forgery Prevention Cheat Sheet.)
 */
import dns from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, Headers, type Response, fetch as undiciFetch } from 'undici';
import { InvalidDataError, NotAllowedError } from '../engine/errors.ts';
import type { HttpFetch, HttpRequest } from '../engine/ports.ts';

export type Resolve = (host: string) => Promise<readonly { address: string; family: number }[]>;

export type OutboundOptions = {
  /** Hosts (`mail.local`, `10.0.0.5`, `10.0.0.5:8025`, `[fd00::5]`) that may lie in private ranges. Asked each time. */
  allowed: () => readonly string[];
  /** The system's resolver where left out. */
  resolve?: Resolve;
  /** Told what time the other side has (RFC 9110, 6.6.1 Date), with each answer that says it. */
  onDate?: (host: string, at_ms: number) => void;
  /** How long the other side may let wait for its headers and for each further piece; 0: only the caller's own deadlines
   * hold. 300 s where left out. */
  answer_ms?: number;
};

export type Outbound = {
  /** For http and https; follows at most three redirects. @throws NotAllowedError for a host that may not be asked */
  fetch: HttpFetch;
  /** The same for which also the hosts of these URLs are allowed: those that the configuration itself names. */
  allowing(urls: readonly string[]): HttpFetch;
  /** For other protocols: the address to connect to instead of the name. @throws NotAllowedError */
  addressOf(host: string, port: number): Promise<string>;
  close(): Promise<void>;
};

const REDIRECTS = 3;
/** Not carried to another origin (WHATWG fetch, HTTP-redirect fetch, step 13). */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'];

/** Whether an address is on the public internet: neither private, loopback, link-local, shared, multicast nor reserved. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  // What these carry inside would be reached by a translator on the way.
  return parsed.kind() === 'ipv4' || !/^(64:ff9b:|2002:)/i.test(parsed.toNormalizedString());
}

export function createOutbound({ allowed, resolve = systemResolve, onDate, answer_ms }: OutboundOptions): Outbound {
  const branches: Outbound[] = [];
  async function check(host: string, port: number): Promise<readonly { address: string; family: number }[]> {
    const bare = bareHost(host);
    const found = isIP(bare) ? [{ address: bare, family: isIP(bare) }] : await resolve(bare);
    const inside = found.find(({ address }) => !isPublic(address));
    if (inside && !isAllowedHost(allowed(), bare, port))
      throw new NotAllowedError(
        isIP(bare)
          ? `${bare} is not on the public internet, and this host is not allowed.`
          : `${bare} leads to ${inside.address}, which is not on the public internet, and this host is not allowed.`,
        'If the box may ask it, allow the host under Admin, Hosts, or with allowed_hosts in the configuration.',
      );
    return found;
  }
  const waits = answer_ms === undefined ? {} : { headersTimeout: answer_ms, bodyTimeout: answer_ms };
  // One agent per port: the lookup is not told which port it is for.
  const agents = new Map<number, Agent>();
  const agentFor = (port: number) => {
    const agent = agents.get(port) ?? new Agent({ connect: { lookup: checkedLookup(check, port) }, ...waits });
    agents.set(port, agent);
    return agent;
  };

  async function once(url: URL, init: HttpRequest): Promise<Response> {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new InvalidDataError(`${url.protocol}// is no web address.`, 'Give one that begins with https://.');
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    // An address in digits is connected to without a lookup, so it is checked here; names are for their clear error.
    await check(url.hostname, port);
    try {
      const response = await undiciFetch(url, { ...init, redirect: 'manual', dispatcher: agentFor(port) });
      if (onDate) tellDate(url.host, response, onDate);
      return response;
    } catch (error) {
      const cause = (error as Error).cause;
      throw cause instanceof NotAllowedError ? cause : error;
    }
  }

  return {
    async fetch(text, init = {}) {
      let url = parseUrl(text);
      let request = init;
      for (let hop = 0; ; hop++) {
        const response = await once(url, request);
        const location = response.headers.get('location');
        if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
        await response.body?.cancel();
        if (init.redirect === 'error' || hop === REDIRECTS)
          throw new InvalidDataError(`${url.host} sends on to another address.`, 'Give the final address.');
        const next = new URL(location, url);
        request = redirected(request, response.status, next.origin === url.origin);
        url = next;
      }
    },
    allowing(urls) {
      const hosts = urls.flatMap((url) => URL.parse(url)?.host ?? []);
      const branch = createOutbound({
        allowed: () => [...allowed(), ...hosts],
        resolve,
        ...(onDate ? { onDate } : {}),
        ...(answer_ms === undefined ? {} : { answer_ms }),
      });
      branches.push(branch);
      return branch.fetch;
    },
    async addressOf(host, port) {
      const [first] = await check(host, port);
      if (!first) throw new InvalidDataError(`${host} has no address.`, 'Check how it is written.');
      return first.address;
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
      await Promise.all(branches.map((branch) => branch.close()));
    },
  };
}

/** An answer out of a cache says when it was made, and how long ago that was. */
function tellDate(host: string, { headers }: Response, onDate: (host: string, at_ms: number) => void): void {
  const made_ms = Date.parse(headers.get('date') ?? '');
  const age_s = Number(headers.get('age') ?? 0);
  if (Number.isFinite(made_ms) && age_s >= 0) onDate(host, made_ms + age_s * 1000);
}

/** `[fd00::5]:80` is `fd00::5` and 80. An entry that is none gives an empty host. */
export function hostAndPort(entry: string): { host: string; port: number | null } {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*|[0-9a-f:]*::?[0-9a-f:.]*)(?::(\d+))?$/i.exec(entry.trim()) ?? [];
  return { host: bareHost(host), port: port === undefined ? null : Number(port) };
}

/** Whether an entry of the list names this host, and where it names a port, this port. */
export function isAllowedHost(entries: readonly string[], host: string, port: number): boolean {
  const bare = bareHost(host);
  return entries.some((entry) => {
    const known = hostAndPort(entry);
    return known.host === bare && (known.port === null || known.port === port);
  });
}

/** In small letters, without brackets and the dot at the end. */
export function bareHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url) throw new InvalidDataError(`"${text}" is no web address.`, 'Give one like https://example.org/path.');
  return url;
}

/** As browsers do: 303, and POST under 301 and 302, become GET; secrets stay with the origin they were for. */
function redirected(init: HttpRequest, status: number, sameOrigin: boolean): HttpRequest {
  const becomesGet = status === 303 || (status < 303 && init.method?.toUpperCase() === 'POST');
  const headers = new Headers(init.headers);
  if (!sameOrigin) for (const name of PRIVATE_HEADERS) headers.delete(name);
  if (becomesGet) for (const name of ['content-type', 'content-length']) headers.delete(name);
  return { ...init, headers: Object.fromEntries(headers), ...(becomesGet ? { method: 'GET', body: undefined } : {}) };
}

type Check = (host: string, port: number) => Promise<readonly { address: string; family: number }[]>;

/** A look-up for connections to `port` that gives only what `check` lets pass. */
export function checkedLookup(check: Check, port: number): LookupFunction {
  return (host, options, done) => {
    check(host, port).then(
      (found) => {
        const usable = options.family ? found.filter(({ family }) => family === options.family) : found;
        if (options.all) done(null, [...usable]);
        else if (usable[0]) done(null, usable[0].address, usable[0].family);
        else done(Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), '', 0);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}

export const systemResolve: Resolve = (host) => dns.promises.lookup(host, { all: true, verbatim: true });
