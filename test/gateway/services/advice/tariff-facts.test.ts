/** The year's cost under other tariffs, from the months that were measured. */
import { describe, expect, it } from 'vitest';
import { comparisonOf } from '../../../../gateway/services/advice/tariff-facts.ts';
import { proposeActions } from '../../../../recommender/catalogue/catalogue.ts';
import { contextOf } from '../../../recommender/context.ts';

const candidates = ['current', 'cheap', 'unsure', 'unknown'].map((id) => ({ id, tariff: { name: `Tariff ${id}` } }));

describe('the comparison of tariffs', () => {
  const found = comparisonOf(candidates, [
    { id: 'current', months: [400, 420, 380] },
    { id: 'cheap', months: [370, 388, 352] },
    { id: 'unsure', months: [200, 640, 330] },
    { id: 'unknown', months: [300, null, 300] },
  ])!;

  it('makes a year of the months, and a range of how much they differ', () => {
    expect(found.current).toEqual({ id: 'current', name: 'Tariff current', cost_year: 4800 });
    const [cheap, unsure] = found.offers;
    // changes −30, −32, −28: −30 a month, standard error 2 / √3
    expect(cheap).toMatchObject({ id: 'cheap', cost_year: 4800 - 360, until_ms: null });
    expect(cheap!.high_year - cheap!.cost_year).toBeCloseTo((12 * 1.645 * 2) / Math.sqrt(3), 9);
    expect(unsure!.high_year).toBeGreaterThan(4800);
  });

  it('leaves out what has no price in a month that the present tariff has', () => {
    expect(found.offers.map(({ id }) => id)).toEqual(['cheap', 'unsure']);
  });

  it('is advice where even its cautious case saves', () => {
    const advised = proposeActions(contextOf(() => 0.2, { tariffs: found })).filter((a) => a.kind === 'change_tariff');
    expect(advised.map(({ id }) => id)).toEqual(['change_tariff:cheap']);
    expect(advised[0]!.saving!.amount).toBeCloseTo(360, 6);
  });

  it('is null where no month of the present tariff has a total', () => {
    expect(comparisonOf(candidates.slice(0, 1), [{ id: 'current', months: [null] }])).toBeNull();
  });
});
