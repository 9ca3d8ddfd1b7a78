/** What `luna run` says to people once the box serves, and the address that stands in messages to them. */
import { networkInterfaces } from 'node:os';

export type Listening = { scheme: string; host: string; port: number; mqtt_port: number; mqtts_port: number | null };

/**
 * The addresses, and the set-up link at each of them while there is one: a box without a screen is set up from
 * another machine.
 * @param lan addresses of this machine in its networks
 * @param token of the set-up link; null once somebody has signed in
 */
export function greetingOf(
  listening: Listening,
  { public_url, lan, token }: { public_url: string | null; lan: readonly string[]; token: string | null },
): string {
  const { scheme, host, port, mqtt_port, mqtts_port } = listening;
  const everywhere = host === '0.0.0.0' || host === '::';
  const at = (name: string) => `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
  const base = public_url ?? at(everywhere || isLoopback(host) ? 'localhost' : host);
  const others = everywhere ? lan.map(at) : [];
  const links = token ? [base, ...others].map((url) => `${url}/setup?token=${token}`) : [];
  const lines = [
    '',
    `  Luna iEMS is ready:  ${base}`,
    ...others.map((url) => `  on the network:      ${url}`),
    `  meters push MQTT to: port ${mqtt_port}${mqtts_port === null ? '' : `, with TLS port ${mqtts_port}`}`,
    ...links.map((link, i) => `  ${i === 0 ? 'set it up once at:  ' : 'or on the network:  '} ${link}`),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** Addresses of this machine in its networks, without the loopback. */
export function lanAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => entry.family === 'IPv4' && !entry.internal)
    .map((entry) => entry.address)
    .slice(0, 3);
}

/** The address for links in messages: the configured one, else this machine's in its network; null where it has none. */
export function baseUrlOf(
  { public_url, host }: { public_url: string | null; host: string },
  { secure, port }: { secure: boolean; port: number },
): string | null {
  if (public_url !== null) return public_url.replace(/\/+$/, '');
  const name = host === '0.0.0.0' || host === '::' ? lanAddresses()[0] : host;
  if (name === undefined) return null;
  return `${secure ? 'https' : 'http'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
