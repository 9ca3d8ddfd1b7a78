/** One search for devices: over the addresses of a network, or over the unit numbers of one bus. It only ever reads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyHttp } from '../../../connectors/meters/discovery/http-identify.ts';
import { browseMdns, type MdnsTransport } from '../../../connectors/meters/discovery/mdns.ts';
import type { AllowedAddresses } from '../../../connectors/meters/discovery/ranges.ts';
import { sweep, type Target } from '../../../connectors/meters/discovery/sweep.ts';
import type { BusRegistry, ModbusBus } from '../../../connectors/meters/modbus/bus.ts';
import { identifyUnit, isPresent, profileOf, type UnitFacts } from '../../../connectors/meters/modbus/identify.ts';
import { endpointOf, type ModbusConnection } from '../../../connectors/meters/modbus/source.ts';
import type { Profile } from '../../../connectors/meters/profile/profile.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import type { Connection } from '../../../engine/model/site.ts';

export type Found = {
  vendor: string;
  model: string;
  serial: string;
  version: string;
  /** For people: `192.168.1.20:502 unit 3`. */
  address: string;
  profile: string | null;
  /** What leads there; null for a device that has to be set up to come to the box and has no profile yet. */
  connection: Connection | null;
  found_by: 'modbus' | 'http' | 'mdns';
};

export type SearchDeps = {
  profiles: readonly Profile[];
  buses: Pick<BusRegistry, 'acquire'>;
  /** How devices of the box are read from there already. */
  framingOf(host: string, port: number): 'tcp' | 'rtu';
  /** Whether devices of the box are polled over this bus: then the search leaves it time. */
  isInUse(connection: ModbusConnection): boolean;
  modbus_ports: readonly number[];
  http_ports: readonly number[];
  mdns: MdnsTransport & { listen_ms?: number };
};

export type SearchRun = {
  signal: AbortSignal;
  /** `more` steps are to be done, or one is. */
  expect(more: number): void;
  step(): void;
  found(what: Found): void;
};

/** The bus cannot be reached, or no longer: nobody on it was asked, which is not the same as nobody there. */
export class UnreachableBus extends UnavailableError {}

/** Where the unit number is that of the device itself, and where gateways are often numbered. */
const OWN_UNITS = [1, 255, 0, 3, 126];
const GATEWAY_UNITS = [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 100, 200, 240, 247];
/** Inverters need up to a second; behind a gateway nobody else may wait so long. */
const OWN_DEADLINE_MS = 1000;
const UNIT_DEADLINE_MS = 400;
const MDNS_MS = 3000;
const RETRY_MS = 1000;

export async function searchNetwork(deps: SearchDeps, allowed: AllowedAddresses, run: SearchRun): Promise<void> {
  const { signal } = run;
  const asked = new Set<string>();
  const visit = async (target: Target, found_by: Found['found_by']) => {
    const key = `${target.host}:${target.port}`;
    if (asked.has(key) || signal.aborted) return;
    asked.add(key);
    if (found_by === 'modbus') await searchHost(deps, target, run);
    else await askHttp(deps, target, found_by, run);
  };
  const { listen_ms = MDNS_MS, ...transport } = deps.mdns;
  const announced = browseMdns(listen_ms, signal, transport);
  const ports = [...deps.modbus_ports, ...deps.http_ports];
  const targets = ports.flatMap((port) => allowed.addresses.map((host) => ({ host, port })));
  run.expect(targets.length);
  await sweep(targets, (target) => visit(target, deps.modbus_ports.includes(target.port) ? 'modbus' : 'http'), {
    signal,
    onDone: run.step,
  });
  // Whatever announces itself from outside of the confirmed ranges is not asked.
  for (const { type, port, addresses } of await announced)
    for (const host of addresses.filter((address) => allowed.has(address)))
      await visit({ host, port }, type === 'modbus' ? 'modbus' : 'mdns');
}

async function searchHost(deps: SearchDeps, { host, port }: Target, run: SearchRun): Promise<void> {
  const framing = deps.framingOf(host, port) === 'rtu' ? ({ framing: 'rtu' } as const) : {};
  const at = (unit: number): ModbusConnection => ({ kind: 'modbus-tcp', host, port, unit, poll_s: 10, ...framing });
  // A host that lets nobody in, or no second client, is no device; the others are searched all the same.
  const each = { onUnit: () => undefined, isNeeded: false };
  const telling = createTelling(OWN_UNITS.length + GATEWAY_UNITS.length, run.found);
  await searchUnits(deps, at, { units: OWN_UNITS, deadline_ms: OWN_DEADLINE_MS, ...each }, telling, run);
  await searchUnits(deps, at, { units: GATEWAY_UNITS, deadline_ms: UNIT_DEADLINE_MS, ...each }, telling, run);
  telling.end();
}

/**
 * Unit after unit of one bus; each device is told as it is found.
 * Rejects UnreachableBus where nobody can be asked.
 */
export async function searchBus(
  deps: SearchDeps,
  connection: ModbusConnection,
  units: { from: number; to: number },
  run: SearchRun,
): Promise<void> {
  const all = Array.from({ length: units.to - units.from + 1 }, (_, i) => units.from + i);
  run.expect(all.length);
  const at = (unit: number): ModbusConnection => ({ ...connection, unit });
  const telling = createTelling(all.length, run.found);
  const plan = { units: all, deadline_ms: UNIT_DEADLINE_MS, onUnit: run.step, isNeeded: true };
  try {
    await searchUnits(deps, at, plan, telling, run);
  } finally {
    telling.end();
  }
}

type UnitPlan = {
  units: readonly number[];
  deadline_ms: number;
  onUnit(): void;
  /** Without the bus the search has no sense. */
  isNeeded: boolean;
};

async function searchUnits(
  deps: SearchDeps,
  at: (unit: number) => ModbusConnection,
  { units, deadline_ms, onUnit, isNeeded }: UnitPlan,
  telling: Telling,
  run: SearchRun,
): Promise<void> {
  const line = acquired(deps, at(1), isNeeded);
  if (!line) return;
  const { bus, release } = line;
  try {
    for (const unit of units) {
      if (run.signal.aborted) break;
      const begun = performance.now();
      if (!(await isReached(bus, isNeeded, run.signal))) break;
      const facts = await factsOf(bus, unit, deps.profiles, { deadline_ms, signal: run.signal });
      if (facts) telling.answered(facts, describe(facts, at(unit), bus.name, deps.profiles));
      else telling.silent();
      onUnit();
      if (deps.isInUse(at(unit)))
        await sleep(2 * (performance.now() - begun), undefined, { signal: run.signal }).catch(() => undefined);
    }
  } finally {
    await release();
  }
}

/** Null where devices use it with other settings and the search can do without it. @throws UnavailableError else */
function acquired({ buses }: SearchDeps, connection: ModbusConnection, isNeeded: boolean) {
  try {
    return buses.acquire(endpointOf(connection));
  } catch (error) {
    if (isNeeded || !(error instanceof UnavailableError)) throw error;
    return null;
  }
}

/** Whether somebody can be asked. Rejects UnreachableBus where that is needed and was tried twice in vain. */
async function isReached(bus: ModbusBus, isNeeded: boolean, signal: AbortSignal): Promise<boolean> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      await bus.connect(signal);
      return true;
    } catch (error) {
      if (signal.aborted || !isNeeded) return false;
      const { message, remedy } = error as UnavailableError;
      if (tries >= 2) throw new UnreachableBus(message, remedy, { cause: error });
      // It may serve one client only, or just have hung up on a unit that it does not have.
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

async function factsOf(
  bus: ModbusBus,
  unit: number,
  profiles: readonly Profile[],
  options: { deadline_ms: number; signal: AbortSignal },
): Promise<UnitFacts | null> {
  try {
    return (await isPresent(bus, unit, options)) ? await identifyUnit(bus, unit, profiles, options) : null;
  } catch (error) {
    if (options.signal.aborted) return null;
    throw error;
  }
}

type Telling = {
  answered(facts: UnitFacts, what: Found): void;
  silent(): void;
  /** No more will come. */
  end(): void;
};

/**
 * Tells each device once, as soon as it is known to be one. A device that does not look at the unit number is one device:
 * while every unit answers, those that say the same as an earlier one wait, and where all of them did, the first stands for
 * them. A serial number tells twins at once.
 */
function createTelling(units: number, tell: (what: Found) => void): Telling {
  const seen = new Set<string>();
  let [asked, has_gap] = [0, false];
  const waiting: Found[] = [];
  const release = () => {
    has_gap = true;
    for (const what of waiting.splice(0)) tell(what);
  };
  return {
    answered({ vendor, product, serial, recognised }, what) {
      asked += 1;
      const key = JSON.stringify([vendor, product, serial, recognised]);
      const isKnown = seen.has(key);
      seen.add(key);
      if (!isKnown || (serial === '' && has_gap)) tell(what);
      else if (serial === '') waiting.push(what);
    },
    silent() {
      asked += 1;
      release();
    },
    end() {
      if (asked < units) release();
    },
  };
}

function describe(facts: UnitFacts, connection: ModbusConnection, bus: string, profiles: readonly Profile[]): Found {
  const profile = profileOf(facts, profiles);
  const poll_s = profile?.defaults.poll_s ?? connection.poll_s;
  return {
    vendor: facts.vendor || profile?.vendor || '',
    model: facts.product || profile?.model || '',
    ...{ serial: facts.serial, version: facts.version, address: `${bus} unit ${connection.unit}` },
    profile: profile?.name ?? null,
    connection: { ...connection, poll_s },
    found_by: 'modbus',
  };
}

async function askHttp(
  deps: SearchDeps,
  { host, port }: Target,
  found_by: Found['found_by'],
  run: SearchRun,
): Promise<void> {
  const base = `http://${host}${port === 80 ? '' : `:${port}`}`;
  const facts = await identifyHttp(base, deps.profiles, run.signal);
  if (!facts) return;
  const profile = deps.profiles.find(({ name }) => name === facts.recognised[0]) ?? null;
  const connection: Connection | null =
    profile?.transport === 'http'
      ? { kind: 'http', url: base, token: null, poll_s: profile.defaults.poll_s ?? 10 }
      : profile?.transport === 'mqtt'
        ? { kind: 'mqtt', topic: facts.topic }
        : null;
  run.found({
    vendor: facts.vendor,
    model: facts.product,
    ...{ serial: facts.serial, version: facts.version, address: base },
    profile: profile?.name ?? null,
    ...{ connection, found_by },
  });
}
