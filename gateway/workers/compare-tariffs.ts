/** The same past under several tariffs, month by month, off the serving thread. */
import { createPublicHolidays } from '../../connectors/holidays/public.ts';
import { type Billing, billCourse, type CourseEnergy } from '../services/plans/billing.ts';

export type CompareTask = { course: CourseEnergy; tariffs: readonly { id: string; billing: Billing }[] };
/** Totals with VAT of each month; null where a price is missing. */
export type CompareResult = { id: string; months: (number | null)[] }[];

export default function compareTask({ course, tariffs }: CompareTask): CompareResult {
  const { isHoliday } = createPublicHolidays();
  return tariffs.map(({ id, billing }) => ({
    id,
    months: billCourse(billing, course, isHoliday).map(({ total }) => total),
  }));
}
