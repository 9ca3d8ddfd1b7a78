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

/** A dead unit is found again within this time, the round and the line's queue not counted. */
const REST_MS = 4_500;
const SHORTEST_DEADLINE_MS = 250;
/** Up to this a probe fits between two rounds of the others; a longer one costs them rounds, so that it comes rarely. */
const SHORT_PROBE_MS = 400;
/** The line pauses for so many times what a probe took. */
const SHORT_PAUSE = 4;
const LONG_PAUSE = 25;
const LONGEST_PAUSE_MS = 60_000;
/** One probe in so many waits the full time: the unit may have become slow. */
const FULL_PROBE_EVERY = 8;
const LIVING_MS = 10 * 60_000;

export function createLineHealth(timeout_ms: number, now: () => number): LineHealth {
  const units = new Map<number, Unit>();
  let next_probe_ms = 0;

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
  /** Of a unit that never answered the slowest of the line. */
  const slowestOf = (unit: Unit) =>
    unit.slowest_ms || Math.max(...[...units.values()].map(({ slowest_ms }) => slowest_ms));
  const isOnlyDead = (unit: number) => isDead(of(unit)) && othersLive(unit);

  return {
    isOnlyDead,
    deadline(unit) {
      const { silent, answered_ms, slowest_ms, probes } = of(unit);
      if (!othersLive(unit)) return timeout_ms;
      // The second try of one that has answered gets all its time: it may only have become slow.
      if (!isDead(of(unit))) return answered_ms === null || silent > 0 ? timeout_ms : short(slowest_ms);
      if (probes % FULL_PROBE_EVERY === FULL_PROBE_EVERY - 1) return timeout_ms;
      return short(slowestOf(of(unit)));
    },
    rest(unit) {
      return isOnlyDead(unit) ? Math.max(0, Math.max(of(unit).next_ms, next_probe_ms) - now()) : 0;
    },
    answered(unit, took_ms) {
      const known = of(unit);
      const wasSilent = known.silent > 0;
      Object.assign(known, { silent: 0, probes: 0, answered_ms: now() });
      known.slowest_ms = Math.max(took_ms, 0.95 * known.slowest_ms);
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
      const isFast = short(slowestOf(known)) <= SHORT_PROBE_MS;
      const pause_ms = isFast
        ? Math.min(took_ms * SHORT_PAUSE, REST_MS)
        : Math.min(took_ms * LONG_PAUSE, LONGEST_PAUSE_MS);
      next_probe_ms = now() + pause_ms;
    },
  };
}
