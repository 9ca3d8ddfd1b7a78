/** How the people of a site answer advice, and what comes of it. What is advised matters through fatigue and trust only. */

import { createRandom } from '../../../engine/random.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';
import type { Calendar } from './days.ts';
import { KIND_FACTS, KINDS, type Kind, type Opportunity, type SiteDay } from './kinds.ts';
import { DAYS, type Person, type Site } from './sites.ts';

/** Share of the reward that accepting earns; the rest is the measured effect. */
export const ACCEPTED = 0.5;
/** Days until the sight of advice is forgotten to a third: repeated appeals tire, a pause restores (Ito et al. 2018). */
const REST_DAYS = 7;
/** Log-odds a place further down costs (order effect: Muthulingam et al. 2013). */
const PLACE = 0.15;
/** Standard deviation of how a preference wanders in a day, log-odds: 0.3 in two months. */
const WANDER = 0.04;
/**
 * Log-odds between advice that is never and always to one's liking, and the pieces it is judged by: people answer alarms
 * as often as these proved right (probability matching: Bliss, Gilson, Deaton 1995).
 */
const TRUST = 2;
const TRUST_MEMORY = 30;
const BASE = 0.6;
const SAVING = 1;
const EFFORT = 1;
const WEEKEND = -0.7;
/** Spread of what is measured around what happened: a forecast is the counterfactual. */
const MEASUREMENT_NOISE = 0.15;

export type Answer =
  | { answer: 'none' }
  | { answer: 'dismissed'; after_days: number }
  | { answer: 'accepted'; after_days: number; value: number; measured_after_days: number | null };

/** What one person has been shown lately, and what it was worth; starts anew with every policy that is tried. */
export type Mood = { seen: Record<Kind, number>; trust: number };
const byKind = (): Record<Kind, number> => Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
export const freshMood = (): Mood => ({ seen: byKind(), trust: 0.5 });

export function restOneDay({ seen }: Mood): void {
  for (const kind of KINDS) seen[kind] *= Math.exp(-1 / REST_DAYS);
}

/** @param chance that the advice shown was to the person's liking. */
export function remember(mood: Mood, kind: Kind, chance: number): void {
  mood.seen[kind]++;
  mood.trust += (chance - mood.trust) / TRUST_MEMORY;
}

export type People = {
  /** Chance that it is to the person's liking, answered or not. */
  accepts(day: SiteDay, opportunity: Opportunity, mood: Mood, place: number): number;
  /** Expected reward of showing it at that place (0 is the first). */
  expected(day: SiteDay, opportunity: Opportunity, mood: Mood, place: number): number;
  /** The same answer for the same advice on the same day, whoever asks: common random numbers. */
  answer(day: SiteDay, opportunity: Opportunity, mood: Mood, place: number): Answer;
};

export function makePeople(site: Site, { half_saving }: Calendar): People {
  const wandered = wander(site);
  const personOn = (day: number): Person => (site.change && day >= site.change.day ? site.change.person : site.person);

  function accepts(day: SiteDay, { kind, saving }: Opportunity, mood: Mood, place: number): number {
    const person = personOn(day.day);
    const { effort, on_site } = KIND_FACTS[kind];
    const logit =
      BASE +
      person.preference[kind] +
      wandered[day.day]![kind] +
      SAVING * (Math.max(0, saving) / (Math.max(0, saving) + half_saving) - 0.5) -
      EFFORT * (effort - 0.5) -
      person.tires * mood.seen[kind] +
      TRUST * (mood.trust - 0.5) -
      PLACE * place +
      (day.weekend && on_site && !site.home ? WEEKEND : 0);
    return 1 / (1 + Math.exp(-logit));
  }

  /** What accepting comes to, 0.5 … 1. */
  function worthOf(day: SiteDay, { kind, saving }: Opportunity): number {
    const { worth } = KIND_FACTS[kind];
    const realised = Math.max(0, saving) * personOn(day.day).follow_through[kind];
    return ACCEPTED + (1 - ACCEPTED) * (worth ?? realised / (realised + half_saving));
  }

  return {
    accepts,
    expected: (day, opportunity, mood, place) =>
      accepts(day, opportunity, mood, place) * personOn(day.day).answers_yes * worthOf(day, opportunity),

    answer(day, opportunity, mood, place) {
      const random = createRandom(hash(`${site.seed} ${day.day} ${opportunity.id}`));
      const [will, answers, delay] = [random(), random(), random()];
      const noise = MEASUREMENT_NOISE * gaussian(random);
      const person = personOn(day.day);
      const after_days = delay < 0.7 ? 0 : delay < 0.9 ? 1 : 3;
      if (will >= accepts(day, opportunity, mood, place))
        return answers < person.answers_no ? { answer: 'dismissed', after_days } : { answer: 'none' };
      if (answers >= person.answers_yes) return { answer: 'none' };
      const { worth, effect_days } = KIND_FACTS[opportunity.kind];
      const value = worthOf(day, opportunity);
      return {
        ...{ answer: 'accepted', after_days },
        value: worth === null ? Math.min(1, Math.max(ACCEPTED, value + noise)) : value,
        measured_after_days: worth === null ? after_days + effect_days : null,
      };
    },
  };
}

function wander(site: Site): Record<Kind, number>[] {
  const random = createRandom(site.seed + 1);
  const offset = byKind();
  return Array.from({ length: DAYS }, () => {
    for (const kind of KINDS) offset[kind] += WANDER * gaussian(random);
    return { ...offset };
  });
}

/** FNV-1a. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
