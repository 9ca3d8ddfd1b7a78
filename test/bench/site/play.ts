/** Plays whoever advises at the sites of one organisation, day by day, and says what it may expect to have earned. */
import { createRandom } from '../../../engine/random.ts';
import type { Calendar } from './days.ts';
import type { Kind, Opportunity, SiteDay } from './kinds.ts';
import { ACCEPTED, type Answer, freshMood, hash, type Mood, type People, remember, restOneDay } from './people.ts';
import { DAYS, type Site } from './sites.ts';

/** Pieces of advice a day. */
export const SLATE = 3;

export type Place = { site: Site; calendar: Calendar; people: People };

/** What an adviser may know when it decides. */
export type Turn = {
  site: Site;
  half_saving: number;
  day: SiteDay;
  /** Days of the organisation so far: the time that its models live in. */
  clock_day: number;
  eligible: readonly Opportunity[];
  /** How often each kind was shown in each of the last seven days, yesterday first. */
  shown: readonly Partial<Record<Kind, number>>[];
  seed: number;
};

/** A reward that becomes known: `before` is what was told of the same advice earlier. */
export type Report = { turn: Turn; place: number; opportunity: Opportunity; reward: number; before?: number };

export type Adviser = {
  /** At most SLATE of the eligible ones, best first. */
  choose(turn: Turn): readonly Opportunity[];
  /** What it would have chosen by another chance, everything else being equal; left out by who leaves nothing to chance. */
  again?(turn: Turn, seed: number): readonly Opportunity[];
  /** All that became known since the last decision, in one batch; by then everybody has gone home. */
  learn(reports: readonly Report[], clock_day: number): void;
};

type SiteState = { mood: Mood; shown: Partial<Record<Kind, number>>[]; done: Set<string> };
type Waiting = { due: number; report: Report };

/**
 * Expected rewards by day, over what people and the adviser's own chance do: of what the adviser shows, and of what the
 * rule would have shown in the same situation. `drawn`: of the slate that its chance drew.
 */
export type Earned = { own: Float64Array; by_rule: Float64Array; drawn: Float64Array };
/** Slates that an adviser's chance is averaged over. */
const DRAWS = 12;

/** @param seed of the adviser's own chance. @returns one of each site. */
export function playOrganisation(places: readonly Place[], adviser: Adviser, rule: Adviser, seed = 1): Earned[] {
  const days = () => new Float64Array(DAYS);
  const earned = places.map((): Earned => ({ own: days(), by_rule: days(), drawn: days() }));
  const states = places.map((): SiteState => ({ mood: freshMood(), shown: [], done: new Set() }));
  const last = Math.max(...places.map(({ site }) => site.starts)) + DAYS;
  let waiting: Waiting[] = [];
  for (let clock_day = 0; clock_day < last; clock_day++) {
    const due = waiting.filter((one) => one.due <= clock_day);
    waiting = waiting.filter((one) => one.due > clock_day);
    adviser.learn(
      due.map(({ report }) => report),
      clock_day,
    );
    for (const [k, place] of places.entries()) {
      const day = place.calendar.days[clock_day - place.site.starts];
      if (!day || clock_day < place.site.starts) continue;
      const turn = turnOf(place, states[k]!, { day, clock_day, seed });
      restOneDay(states[k]!.mood);
      const chosen = turn.eligible.length > 0 ? adviser.choose(turn) : [];
      earned[k]!.by_rule[day.day] = expectedOf(place, turn, states[k]!.mood, rule.choose(turn));
      earned[k]!.drawn[day.day] = expectedOf(place, turn, states[k]!.mood, chosen);
      earned[k]!.own[day.day] = overChance(place, turn, states[k]!.mood, adviser) ?? earned[k]!.drawn[day.day]!;
      waiting.push(...show(place, states[k]!, turn, chosen));
    }
  }
  return earned;
}

type Moment = { day: SiteDay; clock_day: number; seed: number };

function turnOf({ site, calendar }: Place, { done, shown }: SiteState, { day, clock_day, seed }: Moment): Turn {
  return {
    ...{ site, half_saving: calendar.half_saving, day, clock_day },
    eligible: day.opportunities.filter(({ id }) => !done.has(id)),
    shown: [...shown],
    seed: hash(`${seed} ${site.seed} decision ${day.day}`),
  };
}

function expectedOf({ people }: Place, { day }: Turn, mood: Mood, chosen: readonly Opportunity[]): number {
  return chosen.reduce((sum, opportunity, at) => sum + people.expected(day, opportunity, mood, at), 0);
}

/** Mean over what the adviser's chance may choose; null where it leaves nothing to chance. */
function overChance(place: Place, turn: Turn, mood: Mood, adviser: Adviser): number | null {
  if (!adviser.again || turn.eligible.length === 0) return null;
  let sum = 0;
  for (let n = 0; n < DRAWS; n++)
    sum += expectedOf(place, turn, mood, adviser.again(turn, hash(`${turn.seed} again ${n}`)));
  return sum / DRAWS;
}

/** People look at the advice and answer, or do not. @returns what will become known. */
function show({ people }: Place, state: SiteState, turn: Turn, chosen: readonly Opportunity[]): Waiting[] {
  const { day } = turn;
  const reports: Waiting[] = [];
  const before = structuredClone(state.mood);
  for (const [at, opportunity] of chosen.entries()) {
    const answer = people.answer(day, opportunity, before, at);
    if (answer.answer !== 'none') state.done.add(opportunity.id);
    reports.push(...reportsOf(answer, { turn, place: at, opportunity }));
    remember(state.mood, opportunity.kind, people.accepts(day, opportunity, before, at));
  }
  const counts: Partial<Record<Kind, number>> = {};
  for (const { kind } of chosen) counts[kind] = (counts[kind] ?? 0) + 1;
  state.shown = [counts, ...state.shown].slice(0, 7);
  return reports;
}

/** An answer counts from the next morning on; its effect when the meters have shown it. */
function reportsOf(answer: Answer, what: Omit<Report, 'reward'>): Waiting[] {
  if (answer.answer === 'none') return [];
  const now = what.turn.clock_day + 1;
  if (answer.answer === 'dismissed') return [{ due: now + answer.after_days, report: { ...what, reward: 0 } }];
  const { value, after_days, measured_after_days } = answer;
  if (measured_after_days === null) return [{ due: now + after_days, report: { ...what, reward: value } }];
  return [
    { due: now + after_days, report: { ...what, reward: ACCEPTED } },
    { due: now + measured_after_days, report: { ...what, reward: value, before: ACCEPTED } },
  ];
}

/** Ranks by a number, highest first. */
export function rankBy(score: (turn: Turn, opportunity: Opportunity) => number): Adviser {
  return {
    choose: (turn) =>
      turn.eligible
        .map((opportunity) => ({ opportunity, value: score(turn, opportunity) }))
        .sort((a, b) => b.value - a.value)
        .slice(0, SLATE)
        .map(({ opportunity }) => opportunity),
    learn() {},
  };
}

/** Even chances, for comparison. */
export function anyAdvice(): Adviser {
  return {
    choose(turn) {
      const random = createRandom(turn.seed);
      return [...turn.eligible]
        .map((opportunity) => ({ opportunity, value: random() }))
        .sort((a, b) => b.value - a.value)
        .slice(0, SLATE)
        .map(({ opportunity }) => opportunity);
    },
    learn() {},
  };
}

/** Knows what people think and how tired they are, and takes the best of the day: hardly any policy can do better. */
export function oracle(places: readonly Place[]): Adviser {
  const own = new Map(places.map(({ site, people }) => [site.id, { people, mood: freshMood() }]));
  const ranked = rankBy(({ site, day }, opportunity) => {
    const { people, mood } = own.get(site.id)!;
    return people.expected(day, opportunity, mood, 0);
  });
  return {
    choose(turn) {
      const { people, mood } = own.get(turn.site.id)!;
      restOneDay(mood);
      const chosen = ranked.choose(turn);
      const before = structuredClone(mood);
      for (const [at, opportunity] of chosen.entries())
        remember(mood, opportunity.kind, people.accepts(turn.day, opportunity, before, at));
      return chosen;
    },
    learn() {},
  };
}
