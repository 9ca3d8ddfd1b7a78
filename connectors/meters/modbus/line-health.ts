/**
 * What is known of the units on one line: how fast they answer and which are dead. A dead unit is asked rarely and
 * briefly, so that its neighbours keep their rate; where nobody answers there is nobody to protect. Pure but for `now`.
 */

export type LineHealth = {
  /** How long a request to the unit may wait for its answer. */
  deadline(unit: number): number;
  /** Milliseconds the unit still rests; 0: ask it. */
  rest(unit: number): number;
  /** Whether the unit is dead while others on the line answer. */
  isOnlyDead(unit: number): boolean;
  answered(unit: number, took_ms: number): void;
  silent(unit: number, took_ms: number): void;
};

type Unit = {
  /** Requests in a row without an answer. */
  silent: number;
  answered_ms: number | null;
  slowest_ms: number;
  probes: number;
  next_ms: number;
};

/** A dead unit is asked again within this time, where the line has room. */
const REST_MS = 4_500;
/** All dead units of a line are to be asked once in this time. */
const ROUND_MS = 9_000;
const SHORTEST_DEADLINE_MS = 250;
/** Up to this a probe fits between two rounds of the others; a longer one costs them rounds. */
const SHORT_PROBE_MS = 400;
/** Of the time in which the living leave the line idle, so much may be spent on the dead; the rest evens out the queue. */
const OF_IDLE = 0.7;
/** Where the living leave nothing they lose so much, and where only long probes would be heard. */
const LEAST_SHARE = 0.035;
/** Long probes harm nobody where the line is mostly idle. */
const QUIET = { busy: 0.25, share: 0.35 };
const LONGEST_PAUSE_MS = 60_000;
/** One probe in so many, of all of the line's, waits the full time: the unit may have become slow. */
const FULL_PROBE_EVERY = 12;
/** The line's load is the mean of about so long. */
const LOAD_MS = 10_000;
const LIVING_MS = 10 * 60_000;

export function createLineHealth(timeout_ms: number, now: () => number): LineHealth {
  const units = new Map<number, Unit>();
  let next_probe_ms = 0;
  const load = createLoad(now);

  const of = (unit: number): Unit => {
    const known = units.get(unit) ?? { silent: 0, answered_ms: null, slowest_ms: 0, probes: 0, next_ms: 0 };
    units.set(unit, known);
    return known;
  };
  /** One that never answered is dead at its first silence. */
  const isDead = ({ silent, answered_ms }: Unit) => silent >= (answered_ms === null ? 1 : 2);
  const isLiving = (unit: Unit) => !isDead(unit) && unit.answered_ms !== null && now() - unit.answered_ms < LIVING_MS;
  const othersLive = (unit: number) => [...units].some(([id, each]) => id !== unit && isLiving(each));
  const short = (slowest_ms: number) => Math.min(timeout_ms, Math.max(SHORTEST_DEADLINE_MS, 100 + 4 * slowest_ms));
  /** One that is well again has surely answered by then. */
  const shortest = (slowest_ms: number) => Math.min(timeout_ms, 30 + 2 * slowest_ms);
  /** Of a unit that never answered the slowest of the line. */
  const slowestOf = (unit: Unit) =>
    unit.slowest_ms || Math.max(...[...units.values()].map(({ slowest_ms }) => slowest_ms));
  const isOnlyDead = (unit: number) => isDead(of(unit)) && othersLive(unit);
  const deadCount = () => Math.max(1, [...units.values()].filter(isDead).length);
  /** Of the line's time, for all its dead units together. */
  function share(unit: Unit): number {
    const busy = load.busy();
    if (shortest(slowestOf(unit)) <= SHORT_PROBE_MS) return Math.max(LEAST_SHARE, OF_IDLE * (1 - busy));
    return busy <= QUIET.busy ? QUIET.share : LEAST_SHARE;
  }
  /** The more of them are dead, the shorter each is waited for. */
  function probe(unit: Unit): number {
    const slowest_ms = slowestOf(unit);
    const fair_ms = (ROUND_MS * share(unit)) / deadCount();
    return Math.min(short(slowest_ms), Math.max(shortest(slowest_ms), fair_ms));
  }

  return {
    isOnlyDead,
    deadline(unit) {
      const known = of(unit);
      const { silent, answered_ms, slowest_ms, probes } = known;
      if (!othersLive(unit)) return timeout_ms;
      // The second try of one that has answered gets all its time: it may only have become slow.
      if (!isDead(known)) return answered_ms === null || silent > 0 ? timeout_ms : short(slowest_ms);
      const every = FULL_PROBE_EVERY * deadCount();
      return probes % every === every - 1 ? timeout_ms : probe(known);
    },
    rest(unit) {
      return isOnlyDead(unit) ? Math.max(0, Math.max(of(unit).next_ms, next_probe_ms) - now()) : 0;
    },
    answered(unit, took_ms) {
      const known = of(unit);
      const wasSilent = known.silent > 0;
      Object.assign(known, { silent: 0, probes: 0, answered_ms: now() });
      known.slowest_ms = Math.max(took_ms, 0.95 * known.slowest_ms);
      load.add(took_ms);
      if (!wasSilent) return;
      // Whatever silenced it is over, and may have silenced others: they are asked at once.
      next_probe_ms = 0;
      for (const each of units.values()) each.next_ms = 0;
    },
    silent(unit, took_ms) {
      const known = of(unit);
      known.silent += 1;
      if (!isDead(known)) return;
      known.probes += 1;
      known.next_ms = now() + REST_MS;
      // A full wait is rare enough not to keep the others from their turn.
      const counted_ms = Math.min(took_ms, probe(known));
      next_probe_ms = now() + Math.min(counted_ms * (1 / share(known) - 1), LONGEST_PAUSE_MS);
    },
  };
}

/** How much of its time a line was busy with answers, lately. */
function createLoad(now: () => number): { add(took_ms: number): void; busy(): number } {
  const begun_ms = now();
  let [busy_ms, at_ms] = [0, begun_ms];
  const fade = () => {
    busy_ms *= Math.exp((at_ms - now()) / LOAD_MS);
    at_ms = now();
  };
  return {
    add(took_ms) {
      fade();
      busy_ms += took_ms;
    },
    busy() {
      fade();
      const seen_ms = LOAD_MS * (1 - Math.exp((begun_ms - now()) / LOAD_MS));
      return Math.min(1, busy_ms / Math.max(1000, seen_ms));
    },
  };
}
