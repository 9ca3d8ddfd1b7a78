/**
 * 200 sites in 40 organisations: what they have, who answers there, and what changes. The numbers are assumptions;
 * those with a source are named in docs/decisions/0015-the-policy-that-learns-advice.md. Sites of organisations 0 to 19
 * are for choosing parameters, those of 20 to 39 for the final figure only.
 */

import { createRandom, type Random } from '../../../engine/random.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';
import { KINDS, type Kind } from './kinds.ts';
import { DAY_HOURS, type HourlySeries, type Market, type SiteData } from './series.ts';

export const ORGANISATIONS = 40;
export const SITES_EACH = 5;
/** Days that a site is played. */
export const DAYS = 90;
/** Days of loads and prices before its first. */
export const DAYS_BEFORE = 35;

export type Person = {
  /** Log-odds of accepting an ordinary piece of advice of each kind when rested. */
  preference: Record<Kind, number>;
  /** Share of the promised saving that follows from accepting (people do not always do what they say). */
  follow_through: Record<Kind, number>;
  /** Log-odds that each recent sight of the same kind costs. */
  tires: number;
  /** Chances of answering at all: what one would accept, and what one would not. */
  answers_yes: number;
  answers_no: number;
};

/** From that day on the site's person answers otherwise. */
export type Change = { day: number; person: Person; flip: boolean };

export type Site = {
  id: string;
  organisation: number;
  /** Days after the organisation's first site. */
  starts: number;
  home: boolean;
  load: HourlySeries;
  market: Market;
  plant: { series: HourlySeries; kWp: number } | null;
  /** First days played, within the series of load and of prices. */
  load_day: number;
  market_day: number;
  battery_kWh: number;
  /** Loads with a name that could run at other hours: share of the site's load that each is. */
  flexible: number[];
  vehicles: number;
  /** Parts of the site that bring forth work of their own: meters, plants, machines; 1 is a home. */
  parts: number;
  /** Zones that can be heated or cooled ahead: share of the site's load that each is. */
  zones: number[];
  heat_pump: boolean;
  demand_charge: boolean;
  person: Person;
  change: Change | null;
  /** Seed of everything that happens at the site by chance, whatever is advised. */
  seed: number;
};

/** People as energy advisers meet them: mean log-odds by kind, in the order of KINDS. */
const PERSONAS: Record<string, readonly number[]> = {
  energy_manager: [0.8, 0.6, 0.2, 0.4, 0.8, 0.2, 0.3, 1, 0.3, 0.2, 0.2, 0],
  caretaker: [-0.6, -0.4, -0.2, 1.2, 0.5, 1, -0.5, -0.3, -1.2, -0.8, -0.8, 0.4],
  plant_manager: [-1.2, 0.8, 0.3, 0, 0.2, 0.3, -1, 0.2, 0.9, 0.4, 0.5, -0.3],
  household: [-0.2, 0.6, 1, -0.4, -0.3, 0.4, -0.4, -0.5, 0.5, 0, -1, -0.8],
};
/** How much people of the same kind differ: standard deviation of the log-odds. */
const INDIVIDUAL = 1.1;
/** Two kinds of five are out of the question at a site, and the box is not told: the landlord's meter, a buyer's contract. */
const OUT_OF_QUESTION = 0.4;
const NEVER = -3;
const OFTEN_LIKE_ITS_ORGANISATION = 0.7;
/** Every tenth site: on one day everything that was liked is disliked and the other way round. */
const FLIP_EVERY = 10;
const NEW_PERSON = 0.05;
const FIRST_CHANGE = 18;
const LAST_CHANGE = 75;

export function makeSites(data: SiteData, organisations: readonly number[]): Site[] {
  return organisations.flatMap((organisation) => {
    const random = createRandom(900_000 + organisation * 7919);
    const housing = random() < 0.25;
    const usual = housing ? 'household' : anyOf(['energy_manager', 'caretaker', 'plant_manager'], random);
    const market = anyOf(data.markets, random);
    return Array.from({ length: SITES_EACH }, (_, k) => {
      const persona = random() < OFTEN_LIKE_ITS_ORGANISATION ? usual : anyOf(Object.keys(PERSONAS), random);
      return makeSite(data, { organisation, k, home: housing, persona, market }, random);
    });
  });
}

type Draft = { organisation: number; k: number; home: boolean; persona: string; market: Market };

function makeSite(data: SiteData, { organisation, k, home, persona, market }: Draft, random: Random): Site {
  const load = anyOf(home ? data.homes : data.buildings, random);
  const load_day = firstDay(load, random);
  const mean_kW = meanOf(load.values.slice(load_day * DAY_HOURS, (load_day + DAYS) * DAY_HOURS));
  const sun = data.plants.get(home ? load.name : '');
  const has = (share: number) => random() < share;
  const plant = sun && has(0.6) ? { series: sun, kWp: home ? 4 : 2 * mean_kW } : null;
  const person = makePerson(persona, random);
  const number = organisation * SITES_EACH + k;
  const flip = number % FLIP_EVERY === 3;
  const day = FIRST_CHANGE + Math.floor(random() * (LAST_CHANGE - FIRST_CHANGE));
  const successor = makePerson(anyOf(Object.keys(PERSONAS), random), random);
  const replaced = has(NEW_PERSON);
  return {
    ...{ id: `site ${number}`, organisation, starts: Math.max(0, k - 1) * 10, home, load, market, plant, load_day },
    market_day: sameDay(load, load_day, market),
    battery_kWh: has(0.5) ? 1.5 * mean_kW : 0,
    flexible: Array.from({ length: 1 + Math.floor(3 * random()) }, () => 0.04 + 0.08 * random()),
    vehicles: has(0.6) ? Math.max(1, Math.round(mean_kW / 40)) : 0,
    parts: home ? 1 : 2 + Math.floor(3 * random()),
    zones: Array.from({ length: 1 + Math.floor(2 * random()) }, () => 0.06 + 0.08 * random()),
    heat_pump: has(0.6),
    demand_charge: !home && has(0.7),
    person,
    change: flip
      ? { day, person: flipped(person), flip: true }
      : replaced
        ? { day, person: successor, flip: false }
        : null,
    seed: Math.floor(random() * 2 ** 31),
  };
}

function makePerson(persona: string, random: Random): Person {
  const byKind = (make: (k: number) => number) =>
    Object.fromEntries(KINDS.map((kind, k) => [kind, make(k)])) as Record<Kind, number>;
  return {
    preference: byKind((k) => {
      const willing = PERSONAS[persona]![k]! + INDIVIDUAL * gaussian(random);
      return random() < OUT_OF_QUESTION ? NEVER : willing;
    }),
    follow_through: byKind(() => 0.3 + 0.65 * Math.sqrt(random())),
    tires: 0.08 * Math.exp(0.5 * gaussian(random)),
    answers_yes: 0.75 + 0.2 * random(),
    answers_no: 0.35 + 0.45 * random(),
  };
}

/** Around the person's own mean, so that as much is accepted as before, but of other kinds. */
function flipped(person: Person): Person {
  const mean = KINDS.reduce((sum, kind) => sum + person.preference[kind], 0) / KINDS.length;
  const preference = Object.fromEntries(KINDS.map((kind) => [kind, 2 * mean - person.preference[kind]]));
  return { ...person, preference: preference as Record<Kind, number> };
}

/** A day with whole data behind and before it. */
function firstDay(load: HourlySeries, random: Random): number {
  const days = load.values.length / DAY_HOURS;
  for (let attempt = 0; attempt < 200; attempt++) {
    const day = DAYS_BEFORE + Math.floor(random() * (days - DAYS_BEFORE - DAYS - 2));
    const part = load.values.slice((day - DAYS_BEFORE) * DAY_HOURS, (day + DAYS + 2) * DAY_HOURS);
    if (part.filter(Number.isNaN).length < 0.02 * part.length) return day;
  }
  throw new Error(`no ${DAYS} whole days of ${load.name}`);
}

/** The same day of the week and of the year in the market's years: 52 weeks are 364 days. */
function sameDay(load: HourlySeries, load_day: number, market: Market): number {
  const days = market.values.length / DAY_HOURS;
  const wanted = load.first_day + load_day - market.first_day;
  const least = DAYS_BEFORE;
  const most = days - DAYS - 2;
  const years = Math.ceil((least - wanted) / 364);
  let day = wanted >= least && wanted <= most ? wanted : wanted + 364 * years;
  while (day > most) day -= 364;
  // Markets of less than two years have no such day for a few weeks of the year: the nearest whole week.
  while (day < least) day += 7;
  return day;
}

const anyOf = <Value>(values: readonly Value[], random: Random): Value => values[Math.floor(random() * values.length)]!;

function meanOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((a, b) => a + b, 0) / Math.max(1, known.length);
}
