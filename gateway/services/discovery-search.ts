/** The search for devices that an admin starts: one at a time on the box, its progress and findings in memory. */
import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { parseRanges, suggestRanges } from '../../connectors/meters/discovery/ranges.ts';
import type { BusRegistry } from '../../connectors/meters/modbus/bus.ts';
import { endpointName } from '../../connectors/meters/modbus/connection.ts';
import { endpointOf, type ModbusConnection } from '../../connectors/meters/modbus/source.ts';
import { InvalidDataError, NotFoundError, UnavailableError } from '../../engine/errors.ts';
import type { Connection, Device } from '../../engine/model/site.ts';
import type { Actor, AuditService, Base } from '../services.ts';
import { requireAgreedLine } from './devices/checks.ts';
import { ConnectionSchema } from './devices/connection.ts';
import { type Found, type SearchDeps, searchBus, searchNetwork, UnreachableBus } from './discovery/search-run.ts';
import type { Profiles } from './profiles.ts';

export type SearchWish =
  | { kind: 'network' /** The private ranges that the admin confirmed. */; ranges: readonly string[] }
  | { kind: 'bus'; connection: ModbusConnection; from_unit: number; to_unit: number };

export type FoundDevice = Found & {
  id: string;
  /** The device of the box that is read from there already. */
  known: string | null;
};
export type SearchState = {
  id: string;
  kind: SearchWish['kind'];
  /** What is searched, for people. */
  where: string;
  state: 'running' | 'done' | 'stopped' | 'failed';
  begun_ms: number;
  ended_ms: number | null;
  done: number;
  total: number;
  found: readonly FoundDevice[];
  /** Why it failed, in English. */
  problem: string | null;
  /** The same for pages in other languages, where it is one of these. */
  reason: 'unreachable' | 'time_limit' | null;
};

export interface SearchService {
  /** The ranges that the box itself is in: a suggestion for the admin to confirm. */
  suggestedRanges(): string[];
  /** Begins and comes back at once. @throws InvalidDataError for other than private ranges, UnavailableError while one runs. */
  start(actor: Actor, wish: SearchWish): Promise<SearchState>;
  /** Ends the tenant's search; what was found stays. @throws NotFoundError where none runs */
  stop(actor: Actor): Promise<SearchState>;
  /** The last search of the tenant, or null. */
  state(tenant: string): SearchState | null;
  /** By the id of the finding. */
  found(tenant: string, id: string): FoundDevice | null;
  close(): Promise<void>;
}

export type SearchServiceDeps = Pick<Base, 'clock' | 'log' | 'bus'> & {
  audit: Pick<AuditService, 'record'>;
  profiles: Profiles;
  devices: {
    list(tenant: string): readonly Device[];
    tenants(): readonly string[];
    buses: Pick<BusRegistry, 'acquire'>;
  };
  /** Replaced in tests. */
  network?: Partial<Pick<SearchDeps, 'modbus_ports' | 'http_ports' | 'mdns'>> & {
    loopback?: boolean;
    cidrs?: () => readonly string[];
    longest_ms?: number;
  };
};

const LONGEST_MS = 10 * 60_000;
const MOST_FOUND = 500;
const TELL_EVERY_MS = 300;

type Kept = SearchState & { tenant: string; found: FoundDevice[]; ending: AbortController; ended: Promise<void> };

export function createSearchService(deps: SearchServiceDeps): SearchService {
  const { clock, log, audit, devices, network = {} } = deps;
  const longest_ms = network.longest_ms ?? LONGEST_MS;
  const kept = new Map<string, Kept>();
  const searchDeps: SearchDeps = {
    get profiles() {
      return deps.profiles.list().map(({ name }) => deps.profiles.full(name));
    },
    buses: devices.buses,
    framingOf: (host, port) => framingOf(allOf(devices), host, port),
    isInUse: (connection) => allOf(devices).some((device) => isOnBus(device.connection, connection)),
    modbus_ports: network.modbus_ports ?? [502, 1502],
    http_ports: network.http_ports ?? [80],
    mdns: network.mdns ?? {},
  };

  const shown = ({ tenant: _, ending: __, ended: ___, ...state }: Kept): SearchState => state;
  const running = () => [...kept.values()].find(({ state }) => state === 'running');

  function begin(actor: Actor, wish: SearchWish, where: string, work: Work): Kept {
    const ending = new AbortController();
    const entry: Kept = {
      ...{ id: randomUUID(), tenant: actor.tenant, kind: wish.kind, where, state: 'running' as const },
      ...{ begun_ms: clock.now(), ended_ms: null, done: 0, total: 0, found: [], problem: null, reason: null, ending },
      ended: Promise.resolve(),
    };
    kept.set(actor.tenant, entry);
    const tell = teller(deps, entry);
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(longest_ms)]);
    entry.ended = work({
      signal,
      expect(more) {
        entry.total += more;
        tell();
      },
      step() {
        entry.done += 1;
        tell();
      },
      found(what) {
        const known = knownAs(devices.list(actor.tenant), what.connection);
        if (entry.found.length < MOST_FOUND) entry.found = [...entry.found, { ...what, id: randomUUID(), known }];
        tell();
      },
    })
      .then(
        () => Object.assign(entry, signal.aborted ? givenUp(ending.signal, longest_ms) : { state: 'done' }),
        (error: unknown) => {
          Object.assign(entry, signal.aborted ? givenUp(ending.signal, longest_ms) : failed(error));
          log.warn({ err: error, search: where }, 'a search for devices ended early');
        },
      )
      .then(() => {
        entry.ended_ms = clock.now();
        tell.now();
      });
    return entry;
  }

  return {
    suggestedRanges: () => suggestRanges(network.cidrs?.() ?? ownCidrs()),
    async start(actor, wish) {
      const [where, work] = prepared(searchDeps, wish, network.loopback ?? false);
      if (wish.kind === 'bus')
        requireAgreedLine(allOf(devices), { tenant: actor.tenant, id: null, connection: wish.connection });
      if (running())
        throw new UnavailableError('A search for devices is under way.', 'Wait until it has ended, or stop it.');
      const entry = begin(actor, wish, where, work);
      // Nothing is asked before it stands in the audit log.
      await audit.record(actor, 'search for devices', where, { kind: wish.kind }).catch((error: unknown) => {
        entry.ending.abort();
        throw error;
      });
      return shown(entry);
    },
    async stop(actor) {
      const entry = kept.get(actor.tenant);
      if (entry?.state !== 'running')
        throw new NotFoundError('No search for devices is under way.', 'There is nothing to stop.');
      entry.ending.abort();
      await entry.ended;
      await audit.record(actor, 'stop search for devices', entry.where, { found: entry.found.length });
      return shown(entry);
    },
    state(tenant) {
      const entry = kept.get(tenant);
      return entry ? shown(entry) : null;
    },
    found: (tenant, id) => kept.get(tenant)?.found.find((each) => each.id === id) ?? null,
    async close() {
      for (const { ending } of kept.values()) ending.abort();
      await Promise.all([...kept.values()].map(({ ended }) => ended));
    },
  };
}

type Work = (run: Parameters<typeof searchNetwork>[2]) => Promise<void>;

/** @throws InvalidDataError */
function prepared(deps: SearchDeps, wish: SearchWish, loopback: boolean): [where: string, work: Work] {
  if (wish.kind === 'network') {
    const allowed = parseRanges(wish.ranges, { loopback });
    return [wish.ranges.join(', '), (run) => searchNetwork(deps, allowed, run)];
  }
  const { from_unit, to_unit } = wish;
  const connection = checked(wish.connection);
  // A person's own address of a gateway, under the same rule as a range.
  if (connection.kind === 'modbus-tcp') parseRanges([connection.host], { loopback });
  const units = { from: Math.min(from_unit, to_unit), to: Math.max(from_unit, to_unit) };
  const where = `${endpointName(endpointOf(connection))}, units ${units.from} to ${units.to}`;
  return [where, (run) => searchBus(deps, connection, units, run)];
}

function checked(connection: ModbusConnection): ModbusConnection {
  const parsed = ConnectionSchema.safeParse(connection);
  if (parsed.success) return connection;
  const faults = parsed.error.issues.map(({ path, message }) => ({ where: path.join('.'), problem: message }));
  const text = faults.map(({ where, problem }) => `${where} ${problem}`).join('; ');
  throw new InvalidDataError(`The connection has faults: ${text}.`, 'Change these fields.', faults);
}

/** Tells the pages, a few times a second at most. */
function teller({ bus, clock }: Pick<SearchServiceDeps, 'bus' | 'clock'>, entry: Kept): { (): void; now(): void } {
  let told_ms = Number.NEGATIVE_INFINITY;
  const now = () => {
    told_ms = clock.now();
    const { tenant, done, total } = entry;
    bus.publish({ type: 'progress', tenant, task: 'search', done, total, text: entry.where });
  };
  return Object.assign(() => (clock.now() - told_ms >= TELL_EVERY_MS ? now() : undefined), { now });
}

function ownCidrs(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ family, internal, cidr }) => (family === 'IPv4' && !internal && cidr ? [cidr] : [])),
  );
}

function allOf({ list, tenants }: SearchServiceDeps['devices']): Device[] {
  return tenants().flatMap((tenant) => [...list(tenant)]);
}

/** Of the devices that are read from there already; simple gateways speak nothing else than `rtu`. */
function framingOf(devices: readonly Device[], host: string, port: number): 'tcp' | 'rtu' {
  const isRtu = ({ enabled, connection: c }: Device) =>
    enabled && c.kind === 'modbus-tcp' && c.host === host && c.port === port && c.framing === 'rtu';
  return devices.some(isRtu) ? 'rtu' : 'tcp';
}

function isOnBus(known: Connection, searched: ModbusConnection): boolean {
  if (known.kind !== 'modbus-tcp' && known.kind !== 'modbus-rtu') return false;
  return endpointName(endpointOf(known)) === endpointName(endpointOf(searched));
}

function knownAs(devices: readonly Device[], found: Connection | null): string | null {
  const same = devices.find(({ connection }) => {
    if (found?.kind === 'http') return connection.kind === 'http' && connection.url === found.url;
    if (found?.kind === 'mqtt')
      return connection.kind === 'mqtt' && found.topic !== null && connection.topic === found.topic;
    if (found?.kind !== 'modbus-tcp' && found?.kind !== 'modbus-rtu') return false;
    return isOnBus(connection, found) && 'unit' in connection && connection.unit === found.unit;
  });
  return same?.id ?? null;
}

type Ending = Pick<SearchState, 'state' | 'problem' | 'reason'>;

function failed(error: unknown): Ending {
  return { state: 'failed', problem: textOf(error), reason: error instanceof UnreachableBus ? 'unreachable' : null };
}

/** Either somebody ended it, or its time was up. */
function givenUp(byPerson: AbortSignal, longest_ms: number): Ending {
  if (byPerson.aborted) return { state: 'stopped', problem: null, reason: null };
  const problem = `A search takes ${Math.round(longest_ms / 60_000)} minutes at most. Search the rest on its own.`;
  return { state: 'failed', problem, reason: 'time_limit' };
}

function textOf(error: unknown): string {
  const { message, remedy } = error as Error & { remedy?: string };
  return remedy ? `${message} ${remedy}` : message;
}
