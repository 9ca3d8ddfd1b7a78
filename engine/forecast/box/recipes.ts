/** Which recipes compete for a series and horizon. The first is the one to beat before anything was trained. */
import { InvalidDataError } from '../../errors.ts';
import type { ForecastModel } from '../../ports.ts';
import { createDayProfiles } from '../day-profiles.ts';
import { createHourlyRidge } from '../hourly-ridge.ts';
import { createSeasonalNaive } from '../seasonal-naive.ts';
import { createDayMix } from './day-mix.ts';
import { createDirect } from './direct.ts';
import { createHoursMix } from './hours-mix.ts';
import type { Horizon, Recipe, SeriesKind } from './model-port.ts';

/** Forecasters of the first day: no training, chosen by their errors on held-out days. */
export const DIRECT_MODELS: readonly ForecastModel[] = [
  createSeasonalNaive(),
  createHourlyRidge(),
  createDayProfiles(),
];

export function recipesOf(kind: SeriesKind, horizon: Horizon): Recipe[] {
  const [naive, ridge, profiles] = DIRECT_MODELS.map((model) => createDirect(model, horizon)) as [
    Recipe,
    Recipe,
    Recipe,
  ];
  if (horizon === 'planning') return [profiles, naive];
  if (horizon === 'intraday') return kind === 'price' ? [] : [ridge, naive, createHoursMix()];
  // A price of today is published: only the one of tomorrow is forecast.
  if (horizon === 'day-ahead' && kind === 'price') return [];
  const mixes = [createDayMix(kind, horizon), createDayMix(kind, horizon, { networks: true })];
  // The weather of a place says little of a market.
  const outdoors = kind === 'price' ? [] : [createDayMix(kind, horizon, { weather: true })];
  return [ridge, naive, profiles, ...mixes, ...outdoors];
}

/** @throws InvalidDataError for a recipe that this version does not know. */
export function recipeNamed(kind: SeriesKind, horizon: Horizon, name: string): Recipe {
  const recipe = recipesOf(kind, horizon).find((one) => one.name === name);
  if (!recipe) throw new InvalidDataError(`This version knows no model ${name}.`, 'Train the models anew.');
  return recipe;
}
