/**
 * Asks a device over HTTP what it is, at the addresses that makers document for it. GET only, no redirects, a short
 * deadline and a small answer. Sources: Shelly API (GET /shelly, Gen1 and Gen2), HomeWizard API v1 (GET /api), Tasmota
 * commands over HTTP (`Status 0` reads), and what profiles name under `identify.http`.
 */
import { parsePath, valueAt } from '../profile/json-path.ts';
import type { Profile } from '../profile/profile.ts';

export type HttpFacts = {
  vendor: string;
  product: string;
  serial: string;
  version: string;
  /** Its own name under MQTT, where it tells it. */
  topic: string | null;
  /** Profiles whose `identify.http` holds; the first fits best. */
  recognised: readonly string[];
};

type Naming = {
  vendor: string;
  product: string[];
  serial: string[];
  version: string[];
  topic: string[];
  needs: string[];
};
const NAMINGS: Readonly<Record<string, Naming>> = {
  '/shelly': {
    vendor: 'Shelly',
    product: ['app', 'type', 'model'],
    serial: ['mac'],
    version: ['ver', 'fw'],
    topic: ['id'],
    needs: ['mac'],
  },
  '/api': {
    vendor: 'HomeWizard',
    product: ['product_name', 'product_type'],
    serial: ['serial'],
    version: ['firmware_version'],
    topic: [],
    needs: ['product_type'],
  },
  '/cm?cmnd=Status%200': {
    vendor: 'Tasmota',
    product: ['Status.DeviceName', 'StatusFWR.Hardware'],
    serial: ['StatusNET.Mac'],
    version: ['StatusFWR.Version'],
    topic: ['Status.Topic'],
    needs: ['StatusFWR.Version'],
  },
};

const DEADLINE_MS = 1500;
const LARGEST_ANSWER_BYTES = 64 * 1024;

/** @returns null where nothing that we know answers. Never rejects for what the other side does. */
export async function identifyHttp(
  base: string,
  profiles: readonly Profile[],
  signal: AbortSignal,
): Promise<HttpFacts | null> {
  const paths = new Set([...Object.keys(NAMINGS), ...profiles.flatMap(({ identify }) => identify?.http?.path ?? [])]);
  for (const path of paths) {
    const answer = await getJson(base + path, signal);
    if (answer === 'gone') return null;
    if (answer === null) continue;
    // What the box can ask at once comes before what has to be set up in the device first.
    const recognised = [...profiles]
      .filter((profile) => isHeld(profile, path, answer))
      .sort((a, b) => Number(b.transport === 'http') - Number(a.transport === 'http'))
      .map(({ name }) => name);
    const naming = NAMINGS[path];
    const isNamed = naming?.needs.every((field) => textAt(answer, [field]) !== '') ?? false;
    if (recognised.length > 0 || isNamed) return factsOf(answer, isNamed ? naming : undefined, recognised, profiles);
  }
  return null;
}

function factsOf(
  answer: unknown,
  naming: Naming | undefined,
  recognised: readonly string[],
  profiles: readonly Profile[],
): HttpFacts {
  const first = profiles.find(({ name }) => name === recognised[0]);
  return {
    vendor: naming?.vendor ?? first?.vendor ?? '',
    product: (naming ? textAt(answer, naming.product) : '') || (first?.model ?? ''),
    serial: naming ? textAt(answer, naming.serial) : '',
    version: naming ? textAt(answer, naming.version) : '',
    topic: (naming && textAt(answer, naming.topic)) || null,
    recognised,
  };
}

function isHeld({ identify }: Profile, path: string, answer: unknown): boolean {
  if (identify?.http?.path !== path) return false;
  return Object.entries(identify.http.is).every(([field, wanted]) => {
    const value = valueAt(answer, parsePath(field));
    return wanted.some((each) => each === value || (each === '*' && typeof value === 'string'));
  });
}

function textAt(answer: unknown, fields: readonly string[]): string {
  for (const field of fields) {
    const value = valueAt(answer, parsePath(field));
    if (typeof value === 'number' || (typeof value === 'string' && value.trim() !== ''))
      return [...String(value)]
        .filter((letter) => letter >= ' ' && letter !== '\x7f')
        .join('')
        .trim()
        .slice(0, 100);
  }
  return '';
}

/** `gone`: nobody speaks HTTP there, so that other paths need not be tried. */
async function getJson(url: string, outer: AbortSignal): Promise<unknown> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(DEADLINE_MS)]);
  let response: Response;
  try {
    response = await fetch(url, { headers: { accept: 'application/json' }, signal, redirect: 'manual' });
  } catch {
    return 'gone';
  }
  try {
    if (!response.ok || Number(response.headers.get('content-length') ?? 0) > LARGEST_ANSWER_BYTES) return null;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > LARGEST_ANSWER_BYTES) return null;
      chunks.push(chunk as Uint8Array);
    }
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof parsed === 'object' ? parsed : null;
  } catch {
    return null;
  } finally {
    await response.body?.cancel().catch(() => undefined);
  }
}
