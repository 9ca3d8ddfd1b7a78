/** Numbers of series in memory: stores keep an integer per row instead of three names that users chose. */

export type SeriesKey = { tenant: string; meter: string; quantity: string };
/** `readings`: whether readings were stored, not only slots that were computed from others. */
export type RegisteredSeries = SeriesKey & { id: number; readings: boolean };

export type SeriesRegistry = {
  find(tenant: string, meter: string, quantity: string): number | undefined;
  get(tenant: string, meter: string, quantity: string): RegisteredSeries | undefined;
  byId(id: number): RegisteredSeries | undefined;
  of(tenant: string): readonly RegisteredSeries[];
  /** Series of which readings were stored. */
  measured(tenant: string): { meter: string; quantity: string }[];
  /** Takes the next free number; the caller stores it. */
  add(key: SeriesKey, readings: boolean): RegisteredSeries;
  load(series: RegisteredSeries): void;
  remove(ids: readonly number[]): void;
  /** Numbers up to `id` are never given out again. */
  startAfter(id: number): void;
};

export function createSeriesRegistry(): SeriesRegistry {
  const numbers = new Map<number, RegisteredSeries>();
  const tenants = new Map<string, Map<string, RegisteredSeries>>();
  let last = 0;
  // JSON of both names cannot be forged by a name that contains the separator.
  const name = (meter: string, quantity: string) => JSON.stringify([meter, quantity]);
  const load = (series: RegisteredSeries) => {
    numbers.set(series.id, series);
    const names = tenants.get(series.tenant) ?? new Map<string, RegisteredSeries>();
    tenants.set(series.tenant, names.set(name(series.meter, series.quantity), series));
    last = Math.max(last, series.id);
  };
  return {
    get: (tenant, meter, quantity) => tenants.get(tenant)?.get(name(meter, quantity)),
    find: (tenant, meter, quantity) => tenants.get(tenant)?.get(name(meter, quantity))?.id,
    byId: (id) => numbers.get(id),
    of: (tenant) => [...(tenants.get(tenant)?.values() ?? [])],
    measured: (tenant) =>
      [...(tenants.get(tenant)?.values() ?? [])]
        .filter((one) => one.readings)
        .map(({ meter, quantity }) => ({ meter, quantity })),
    add({ tenant, meter, quantity }, readings) {
      const series = { id: last + 1, tenant, meter, quantity, readings };
      load(series);
      return series;
    },
    load,
    startAfter(id) {
      last = Math.max(last, id);
    },
    remove(ids) {
      for (const id of ids) {
        const series = numbers.get(id);
        if (!series) continue;
        numbers.delete(id);
        tenants.get(series.tenant)?.delete(name(series.meter, series.quantity));
      }
    },
  };
}
