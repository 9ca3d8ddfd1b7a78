/** What holds for the site without a day: its tariff and the limits of its grid connection, in both languages. */
import type { PlanService, TariffService } from '../../services.ts';

export type TermDeps = {
  tariffs?: Pick<TariffService, 'current'>;
  plans?: Partial<Pick<PlanService, 'settings'>>;
};
/** A text in both languages, and the page that shows what it says. */
export type Term = { href: string; title: Both; text: Both };
type Both = { en: string; de: string };
type Formats = { power: (watts: number) => string; day: (day: string) => string };

/** The charges by the names that the bill gives them; null before set-up. */
export function tariffTerm({ tariffs }: TermDeps, tenant: string, { day }: Formats): Term | null {
  const version = tariffs?.current(tenant);
  if (!version) return null;
  const { name, energy, standing, demand, feed_in } = version.tariff;
  const named = (list: readonly { name: string }[]) => list.map((one) => one.name).join(', ') || '–';
  const since = day(version.valid_from);
  return {
    href: '/tariff',
    title: { en: 'Tariff of the site', de: 'Tarif des Standorts' },
    text: {
      en: `the tariff is “${name}”, since ${since}. Energy: ${named(energy)}. Standing charges: ${named(standing)}. Demand charges: ${named(demand)}. Feed-in: ${named(feed_in)}.`,
      de: `Der Tarif ist „${name}“, seit ${since}. Arbeit: ${named(energy)}. Feste Preise: ${named(standing)}. Leistung: ${named(demand)}. Einspeisung: ${named(feed_in)}.`,
    },
  };
}

/** Null where nobody said them. */
export async function limitTerm({ plans }: TermDeps, tenant: string, { power }: Formats): Promise<Term | null> {
  const settings = await plans?.settings?.(tenant);
  if (!settings || (settings.import_limit_W === null && settings.export_limit_W === null)) return null;
  const said = (watts: number | null, none: string) => (watts === null ? none : power(watts));
  const { import_limit_W, export_limit_W } = settings;
  return {
    href: '/plan',
    title: { en: 'Limits of the grid connection', de: 'Grenzen des Netzanschlusses' },
    text: {
      en: `from the grid at most ${said(import_limit_W, 'any power')}, into the grid at most ${said(export_limit_W, 'any power')}.`,
      de: `Aus dem Netz höchstens ${said(import_limit_W, 'jede Leistung')}, ins Netz höchstens ${said(export_limit_W, 'jede Leistung')}.`,
    },
  };
}
