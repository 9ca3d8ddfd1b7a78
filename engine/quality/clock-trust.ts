/**
 * Whether the wall clock of the box may be believed. It is compared with a clock that only counts (milliseconds since
 * the machine started, over restarts of the box), with the newest instant that is stored for good, and with times that
 * others tell. Pure: all clocks are arguments.
 *
 * While the clock is not believed the box goes on with `mono + offset_ms`, the time that it last had reason to believe.
 */

/** A clock is set right in steps of this size without anybody asking. */
export const STEP_MS = 30_000;
/** After a restart of the machine a longer time away is believed only when something confirms it. */
export const AWAY_MS = 12 * 3_600_000;
/** Where nothing is known of the time before: software is not installed longer than this after it was built. */
export const AFTER_BUILD_MS = 5 * 365 * 86_400_000;
/** Witnesses agree within this, with one another and with the clock. */
export const AGREE_MS = 2 * 60_000;
/** Dates of providers contradict the clock from here on. */
export const CONTRADICT_MS = 10 * 60_000;
/** Devices do from here on: those set to the wrong time zone agree with one another too. */
export const DEVICES_CONTRADICT_MS = 15 * 3_600_000;
/** What a witness said counts for so long. */
export const WITNESS_MS = 15 * 60_000;
/** A clock that is set after the start moves at least by this. */
const SET_MS = 1_000;

export type ClockReason =
  /** It shows less than what is stored already, or less than when the software was built. */
  | 'behind'
  /** The machine was away for longer than is believed without confirmation. */
  | 'away'
  /** The machine started anew and has no clock of its own that goes on while it is off. */
  | 'unset'
  /** It moved by itself while the box ran, or while it was restarted. */
  | 'jump'
  /** Devices or providers agree on another time. */
  | 'contradicted';

export type ClockState = {
  trusted: boolean;
  reason: ClockReason | null;
  /** The time to go on with is the counting clock plus this; follows the wall clock while that is trusted. */
  offset_ms: number;
  /** What the wall clock was ahead of the counting clock by when it was last looked at. */
  seen_ms: number;
  /** A clock that is set after the start may be so far ahead of what is known. */
  reach_ms: number;
};
export type ClockKept = { boot: string; offset_ms: number; newest_ms: number };
export type ClockStart = {
  wall_ms: number;
  mono_ms: number;
  /** Names this start of the machine: the counting clock begins anew with each. */
  boot: string;
  /** From the last time the clock was trusted; null for a first start. */
  kept: ClockKept | null;
  /** Newest instants that are stored for good, and when the software was built. */
  stored_ms: number | null;
  built_ms: number | null;
  /** Whether the machine has a clock that goes on while it is off. */
  hardware_clock: boolean;
};
/** `time_ms` is what `source` said when the counting clock showed `mono_ms`: the date of an answer, or a device's time. */
export type Witness = { source: string; kind: 'date' | 'device'; time_ms: number; mono_ms: number };

const trustedAt = (wall_ms: number, mono_ms: number): ClockState => {
  const offset_ms = wall_ms - mono_ms;
  return { trusted: true, reason: null, offset_ms, seen_ms: offset_ms, reach_ms: AWAY_MS };
};

export function judgeStart(start: ClockStart): ClockState {
  const { wall_ms, mono_ms, boot, kept, stored_ms, built_ms } = start;
  const seen_ms = wall_ms - mono_ms;
  const reach_ms = kept ? AWAY_MS : AFTER_BUILD_MS;
  const doubted = (reason: ClockReason, offset_ms: number) => ({
    trusted: false,
    reason,
    offset_ms,
    seen_ms,
    reach_ms,
  });
  if (kept && kept.boot === boot)
    return Math.abs(seen_ms - kept.offset_ms) <= STEP_MS
      ? trustedAt(wall_ms, mono_ms)
      : doubted('jump', kept.offset_ms);
  const known_ms = kept?.newest_ms ?? stored_ms;
  const newest_ms = Math.max(known_ms ?? Number.NEGATIVE_INFINITY, built_ms ?? Number.NEGATIVE_INFINITY);
  // The software may have been renewed while the box was off.
  const since_ms = known_ms ?? built_ms;
  if (wall_ms < newest_ms - STEP_MS) return doubted('behind', newest_ms - mono_ms);
  if (since_ms === null) return trustedAt(wall_ms, mono_ms);
  if (!kept)
    return wall_ms - since_ms > AFTER_BUILD_MS ? doubted('away', newest_ms - mono_ms) : trustedAt(wall_ms, mono_ms);
  if (wall_ms - since_ms > AWAY_MS) return doubted('away', newest_ms - mono_ms);
  return start.hardware_clock ? trustedAt(wall_ms, mono_ms) : doubted('unset', newest_ms - mono_ms);
}

/** Looks at both clocks again. Cheap: this is asked for each reading. */
export function judgeTick(state: ClockState, wall_ms: number, mono_ms: number): ClockState {
  const seen_ms = wall_ms - mono_ms;
  const away_ms = Math.abs(seen_ms - state.offset_ms);
  if (state.trusted) {
    if (seen_ms === state.seen_ms) return state;
    if (away_ms <= STEP_MS) return trustedAt(wall_ms, mono_ms);
    return { ...state, trusted: false, reason: 'jump', seen_ms };
  }
  if (state.reason === 'jump' || state.reason === 'contradicted')
    return away_ms <= STEP_MS ? trustedAt(wall_ms, mono_ms) : { ...state, seen_ms };
  // Since the start nobody had set it; who sets it now has a reason to, and the time is near what is known.
  const was_set = Math.abs(seen_ms - state.seen_ms) > SET_MS;
  const ahead_ms = seen_ms - state.offset_ms;
  if (was_set && ahead_ms >= -STEP_MS && ahead_ms <= state.reach_ms) return trustedAt(wall_ms, mono_ms);
  return { ...state, seen_ms };
}

/**
 * One witness who says the same as the wall clock is enough to believe it: by chance nobody does. To stop believing it
 * takes two who agree with one another, and none on its side. Nothing that is stored for good lies in the future.
 */
export function judgeWitnesses(
  state: ClockState,
  wall_ms: number,
  mono_ms: number,
  witnesses: readonly Witness[],
): ClockState {
  const recent = witnesses.filter((one) => mono_ms - one.mono_ms <= WITNESS_MS);
  const off = recent.map((one) => ({ ...one, by_ms: wall_ms - mono_ms - (one.time_ms - one.mono_ms) }));
  const agrees = off.some(({ by_ms }) => Math.abs(by_ms) <= AGREE_MS);
  if (!state.trusted) return agrees ? trustedAt(wall_ms, mono_ms) : state;
  if (agrees) return state;
  // What a device kept while the network was away is old without its clock being wrong: only what is ahead tells.
  const against = off.filter(({ kind, by_ms }) =>
    kind === 'date' ? Math.abs(by_ms) >= CONTRADICT_MS : by_ms <= -DEVICES_CONTRADICT_MS,
  );
  for (const one of against) {
    const other = against.find(({ source, by_ms }) => source !== one.source && Math.abs(by_ms - one.by_ms) <= AGREE_MS);
    if (other) {
      const seen_ms = wall_ms - mono_ms;
      return { ...state, trusted: false, reason: 'contradicted', offset_ms: seen_ms - one.by_ms, seen_ms };
    }
  }
  return state;
}

/** A person who may has looked at the clock and says that it is right. */
export function believe(wall_ms: number, mono_ms: number): ClockState {
  return trustedAt(wall_ms, mono_ms);
}
