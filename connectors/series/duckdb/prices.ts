/** Market prices: one value per area, market and slot. */
import { DOUBLE, LIST, listValue } from '@duckdb/node-api';
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { PriceTable } from '../../../engine/ports.ts';
import { storedPrices } from '../prices.ts';
import type { DuckDbContext } from './context.ts';

export function createPrices({ db }: DuckDbContext): PriceTable {
  return {
    async write({ area, market, currency, vat_included, source, slots }, fetched_ms) {
      if (slots.length === 0) return;
      const at = slots.map((slot) => Math.round(slot.at_ms / SLOT_MS));
      const fetched = BigInt(Math.round(fetched_ms));
      await db.write(async (writer) => {
        await writer.run('delete from price where area = $area and market = $market and "at" in (select unnest($at))', {
          area,
          market,
          at: listValue(at),
        });
        // Nulls do not pass through a list of unknown type, so missing prices go as NaN.
        const values = slots.map((slot) => slot.value ?? Number.NaN);
        await writer.run(
          "insert into price select $area, $market, unnest($at::integer[]), nullif(unnest($values::double[]), 'nan'::double), " +
            '$currency, $vat_included, $source, $fetched',
          { area, market, at: listValue(at), values: listValue(values), currency, vat_included, source, fetched },
          { values: LIST(DOUBLE) },
        );
      });
    },
    async remove(area, market) {
      await db.write((writer) =>
        writer.run('delete from price where area = $area and market = $market', { area, market }),
      );
    },
    async read(area, market, from_ms, to_ms) {
      const rows = await db.rows(
        'select "at", value, currency, vat_included, source, fetched_ms::double as fetched_ms from price ' +
          'where area = $area and market = $market and "at" >= $from and "at" < $to order by "at"',
        { area, market, from: Math.ceil(from_ms / SLOT_MS), to: Math.ceil(to_ms / SLOT_MS) },
      );
      return storedPrices(
        rows.map((row) => ({
          at_ms: (row.at as number) * SLOT_MS,
          value: row.value as number | null,
          currency: row.currency as string,
          vat_included: row.vat_included as boolean,
          source: row.source as string,
          fetched_ms: row.fetched_ms as number,
        })),
      );
    },
  };
}
