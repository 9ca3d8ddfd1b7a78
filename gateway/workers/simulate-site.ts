/** Carries one or more policies out over a site's past, and bills each course, off the serving thread. */
import { createPublicHolidays } from '../../connectors/holidays/public.ts';
import {
  type PolicyCourse,
  type PolicyName,
  type SiteCourse,
  simulateSite,
} from '../../engine/dispatch/site-simulation.ts';
import { createRandom } from '../../engine/random.ts';
import { type Billing, billCourse } from '../services/plans/billing.ts';

export type SimulateTask = { course: SiteCourse; names: readonly PolicyName[]; seed: number; billing: Billing };
export type SimulatedPolicy = Omit<PolicyCourse, 'grid_kWh' | 'energy_kWh'> & {
  /** null: a price is missing. */
  bill: number | null;
  currency: string;
  months: { from_ms: number; total: number | null }[];
};
export type SimulateResult = { policies: SimulatedPolicy[]; days_left_out: number };

export default function simulateTask({ course, names, seed, billing }: SimulateTask): SimulateResult {
  const { isHoliday } = createPublicHolidays();
  const { courses, days_left_out } = simulateSite(course, names, createRandom(seed));
  const policies = courses.map(({ grid_kWh, energy_kWh: _energy, ...rest }): SimulatedPolicy => {
    const bills = billCourse(
      billing,
      { import_kWh: grid_kWh.map((kWh) => Math.max(0, kWh)), export_kWh: grid_kWh.map((kWh) => Math.max(0, -kWh)) },
      isHoliday,
    );
    const totals = bills.map(({ total }) => total);
    return {
      ...rest,
      bill: totals.some((total) => total === null) ? null : totals.reduce<number>((sum, total) => sum + total!, 0),
      currency: bills[0]?.currency ?? 'EUR',
      months: bills.map(({ from_ms, total }) => ({ from_ms, total })),
    };
  });
  return { policies, days_left_out };
}
