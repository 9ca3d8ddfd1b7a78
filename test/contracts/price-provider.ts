/** What every price provider must hold, against the price server that answers as the real one does. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import type { PriceMarket } from '../../engine/model/price.ts';
import { addDays, instantOf, SLOT_MS } from '../../engine/model/time.ts';
import type { PriceProvider } from '../../engine/ports.ts';
import { openPriceServer, type PriceServer } from '../../gateway/demo/price-server.ts';

export type ProviderCase = {
  open(urls: Record<string, string>, timeout_ms: number): PriceProvider;
  /** Its name on the price server. */
  server: string;
  area: string;
  market: PriceMarket;
  time_zone: string;
  /** Local days with 23, 24 and 25 hours. */
  days: { short: [number, number, number]; plain: [number, number, number]; long: [number, number, number] };
  currency: string;
  vat_included: boolean;
  /** What the market's value of a slot becomes; identity where the source is as fine as the market. */
  expected(value: (slot_ms: number) => number | null, slot_ms: number): number | null;
  /** Octopus and Tibber leave missing prices out. */
  leaves_out_nulls?: boolean;
};

export const EUROPE = {
  short: [2026, 3, 29],
  plain: [2026, 6, 14],
  long: [2026, 10, 25],
} satisfies ProviderCase['days'];
export const TEXAS = { short: [2026, 3, 8], plain: [2026, 6, 14], long: [2026, 11, 1] } satisfies ProviderCase['days'];

/** Negative at noon, a different value in every slot. */
export function marketValue(slot_ms: number): number {
  const slot = slot_ms / SLOT_MS;
  return Math.round((40 + 90 * Math.cos((2 * Math.PI * slot) / 96) + (slot % 7)) * 100) / 100;
}

const NOW = Date.UTC(2026, 10, 3, 12);

export function describePriceProvider(name: string, provided: ProviderCase): void {
  describe(name, () => {
    let server: PriceServer;
    let provider: PriceProvider;
    let unpublished_from_ms = Number.POSITIVE_INFINITY;
    let missing_ms = Number.NaN;
    let now_ms = NOW;
    const truth = {
      price: (_area: string, _market: PriceMarket, slot_ms: number) =>
        slot_ms >= unpublished_from_ms ? undefined : slot_ms === missing_ms ? null : marketValue(slot_ms),
      step_ms: () => SLOT_MS,
    };

    beforeAll(async () => {
      server = await openPriceServer({ truth, now: () => now_ms });
      provider = provided.open(server.urls, 300);
    });
    afterAll(() => server.close());
    beforeEach(() => {
      server.fail(provided.server, null);
      [unpublished_from_ms, missing_ms, now_ms] = [Number.POSITIVE_INFINITY, Number.NaN, NOW];
    });

    const range = ([year, month, day]: [number, number, number]) => {
      const from_ms = instantOf(provided.time_zone, year, month, day);
      now_ms = from_ms;
      return { from_ms, to_ms: addDays(from_ms, 1, provided.time_zone) };
    };
    const fetchDay = (day: [number, number, number], signal = AbortSignal.timeout(10_000)) =>
      provider.fetch({ area: provided.area, market: provided.market, ...range(day), signal });

    it.each([
      ['short', 92],
      ['plain', 96],
      ['long', 100],
    ] as const)('gives the %s day its %i slots, each with its own price', async (kind, count) => {
      const series = await fetchDay(provided.days[kind]);
      const { from_ms } = range(provided.days[kind]);
      expect(series.slots.map(({ at_ms }) => at_ms)).toEqual(
        Array.from({ length: count }, (_, i) => from_ms + i * SLOT_MS),
      );
      for (const { at_ms, value } of series.slots)
        expect(value, new Date(at_ms).toISOString()).toBeCloseTo(provided.expected(marketValue, at_ms) as number, 2);
      expect(series.slots.some(({ value }) => (value ?? 0) < 0) || provided.vat_included).toBe(true);
      expect(series).toMatchObject({
        area: provided.area,
        market: provided.market,
        source: provider.name,
        currency: provided.currency,
        vat_included: provided.vat_included,
      });
    });

    it('keeps a missing price null', async () => {
      const { from_ms } = range(provided.days.plain);
      missing_ms = from_ms + 40 * SLOT_MS;
      const { slots } = await fetchDay(provided.days.plain);
      const found = slots.find(({ at_ms }) => at_ms === missing_ms);
      if (provided.leaves_out_nulls) expect(found).toBeUndefined();
      else expect(found).toEqual({ at_ms: missing_ms, value: null });
      expect(slots.find(({ at_ms }) => at_ms === from_ms)?.value).not.toBeNull();
    });

    it('is empty before publication, and no error', async () => {
      unpublished_from_ms = range(provided.days.plain).from_ms;
      expect((await fetchDay(provided.days.plain)).slots).toEqual([]);
    });

    it.each([
      [429, UnavailableError, /limits our requests \(HTTP 429, again after 120\)/],
      [500, UnavailableError, /is down \(HTTP 500\)/],
      [403, UnavailableError, /refuses our credentials/],
      ['silent', UnavailableError, /took too long/],
      ['reset', UnavailableError, /does not answer/],
      ['html', InvalidDataError, /<!DOCTYPE html>/],
      ['truncated', InvalidDataError, /is no (JSON|XML)/],
    ] as const)('says what happened when it fails with %s', async (failure, kind, words) => {
      server.fail(provided.server, failure);
      const error = await fetchDay(provided.days.plain).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(kind);
      expect((error as Error).message).toMatch(words);
      expect((error as Error).message).toMatch(new RegExp(provider.name));
    });

    it('stops when told to', async () => {
      server.fail(provided.server, 'silent');
      await expect(fetchDay(provided.days.plain, AbortSignal.timeout(20))).rejects.toBeInstanceOf(UnavailableError);
    });
  });
}
