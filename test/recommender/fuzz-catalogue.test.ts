import { describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../engine/model/time.ts';
import type { Action, ActionKind, AdviceContext } from '../../recommender/action.ts';
import { ACTION_KINDS } from '../../recommender/action.ts';
import { proposeActions } from '../../recommender/catalogue/catalogue.ts';
import { KINDS } from '../../recommender/catalogue/kinds.ts';
import { ACTION_NAMES, candidateOf, MOMENT_NAMES, momentFeatures } from '../../recommender/moment.ts';
import { createRandom } from '../../recommender/random.ts';
import { fuzzContext } from './fuzz-context.ts';

const ROUNDS = 4000;

/** What must hold, asked of the context itself and not of the catalogue's own mask. */
const MUST: Partial<Record<ActionKind, (action: Action, context: AdviceContext) => boolean>> = {
  shift_load: ({ evidence }, { prices }) =>
    evidence.slots!.length === 2 && evidence.slots!.every((span) => countPriced(span, prices) === 8),
  run_battery: ({ evidence, saving }, { battery, at_ms }) => {
    const [charge, discharge] = evidence.slots!;
    const full = battery?.soc_percent !== undefined && battery.soc_percent >= 98;
    return (
      battery !== null &&
      charge!.to_ms <= discharge!.from_ms &&
      charge!.to_ms > at_ms &&
      saving!.amount > 0 &&
      !(full && charge!.from_ms < at_ms + 3_600_000)
    );
  },
  precondition: (_, { climate }) => {
    const after = climate!.room_C + (climate!.mode === 'heat' ? 1 : -1);
    return [climate!.room_C, after].every((C) => C >= climate!.comfort_C[0] && C <= climate!.comfort_C[1]);
  },
  lower_peak: (_, { peak }) => peak!.demand_charge_per_kW > 0,
  check_meter: ({ evidence }, { meters }) =>
    meters.some(
      ({ id, silent_since_ms, stuck_since_ms }) =>
        id === evidence.meter && (silent_since_ms !== null || stuck_since_ms !== null),
    ),
  charge_vehicles: (_, { chargers }) => chargers === undefined || chargers.length > 0,
  change_tariff: ({ id, saving, deadline_ms }, { tariffs, at_ms }) =>
    id !== `change_tariff:${tariffs!.current.id}` && saving!.low > 0 && (deadline_ms === null || deadline_ms > at_ms),
  set_14a_module: ({ id }, { section_14a }) =>
    section_14a!.devices_W > 4200 && id !== `set_14a_module:${section_14a!.module}`,
  confirm_repair: ({ evidence }, { repairs, meters }) => {
    const repair = repairs!.find(({ id }) => id === evidence.repair)!;
    return repair.count > 0 && meters.some(({ id }) => id === repair.meter);
  },
};

function countPriced(span: { from_ms: number; to_ms: number }, prices: AdviceContext['prices']): number {
  return prices.filter(({ at_ms, per_kWh }) => at_ms >= span.from_ms && at_ms < span.to_ms && per_kWh !== null).length;
}

describe('the catalogue under fuzzed contexts', () => {
  it('never proposes what is infeasible or unsafe, and meets every kind', () => {
    const random = createRandom(20260101);
    const met = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const context = fuzzContext(random);
      const actions = proposeActions(context);
      expect(new Set(actions.map(({ id }) => id)).size).toBe(actions.length);
      for (const action of actions) {
        met.set(action.kind, (met.get(action.kind) ?? 0) + 1);
        const { saving, deadline_ms, evidence } = action;
        const windows = (evidence.slots ?? []).every(
          ({ from_ms, to_ms }) => to_ms > context.at_ms && to_ms > from_ms && to_ms - from_ms <= 48 * SLOT_MS,
        );
        const range =
          saving === null ||
          (saving.low <= saving.amount && saving.amount <= saving.high && Number.isFinite(saving.high));
        const sound = windows && range && (deadline_ms === null || deadline_ms > context.at_ms);
        if (!sound || !(MUST[action.kind]?.(action, context) ?? true)) expect({ round, action }).toBeNull();
      }
    }
    expect([...met.keys()].sort()).toEqual([...ACTION_KINDS].sort());
  });

  it('gives the learner finite numbers of one length, all within −1 … 1', () => {
    const random = createRandom(7);
    for (let round = 0; round < 500; round++) {
      const context = fuzzContext(random);
      const moment = momentFeatures(context);
      expect(moment).toHaveLength(MOMENT_NAMES.length);
      for (const action of proposeActions(context)) {
        const { features, rule_score } = candidateOf(action);
        expect(features).toHaveLength(ACTION_NAMES.length);
        for (const value of [...moment, ...features]) expect(Math.abs(value)).toBeLessThanOrEqual(1);
        expect(Number.isFinite(rule_score)).toBe(true);
      }
    }
  });

  it('has at least twelve kinds, each once, with words in both languages and an effort', () => {
    expect(KINDS.length).toBeGreaterThanOrEqual(12);
    expect(KINDS.map(({ kind }) => kind).sort()).toEqual([...ACTION_KINDS].sort());
    for (const { name, effort_min } of KINDS) expect(name.en !== '' && name.de !== '' && effort_min > 0).toBe(true);
  });

  it('brings withheld advice back only when half as much again is at stake', () => {
    const random = createRandom(3);
    const context = fuzzContext(random);
    const night = { last_W: 9000, usual_W: 4000 };
    const prices = context.prices.length > 0 ? context.prices : [{ at_ms: context.at_ms, per_kWh: 0.3 }];
    const ids = (last_W: number) =>
      proposeActions(
        { ...context, prices, night: { ...night, last_W } },
        new Map([['check_base_load', 5000 * 1.5]]),
      ).map(({ id }) => id);
    expect(ids(9000)).not.toContain('check_base_load');
    expect(ids(11_400)).not.toContain('check_base_load');
    expect(ids(11_600)).toContain('check_base_load');
  });
});
