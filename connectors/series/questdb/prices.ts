/** Market prices in QuestDB: one value per area, market and slot. */
import type { PriceTable } from '../../../engine/ports.ts';
import { type PriceRow, storedPrices } from '../prices.ts';
import { AT_MS, type QuestDbContext, within } from './context.ts';
import { tableName } from './schema.ts';

const PRICE = tableName('price');

export function createPrices({ db, serial, floors }: QuestDbContext): PriceTable {
  return {
    write: ({ area, market, currency, vat_included, source, slots }, fetched_ms) =>
      serial(() =>
        db.write(
          PRICE,
          slots.map(({ at_ms, value }) => ({
            area,
            market,
            value,
            currency,
            vat_included,
            source,
            fetched_ms: Math.round(fetched_ms),
            at_ms,
          })),
        ),
      ),
    async read(area, market, from_ms, to_ms) {
      const rows = await db.ask(
        [PRICE],
        `select ${AT_MS}, value, currency, vat_included, source, fetched_ms from ${PRICE} where area = $1 and market = $2 and ${within(Math.max(from_ms, floors.price), to_ms)} order by at`,
        [area, market],
      );
      return storedPrices(
        rows.map(
          ([at_ms, value, currency, vat_included, source, fetched_ms]) =>
            ({ at_ms, value, currency, vat_included, source, fetched_ms }) as PriceRow,
        ),
      );
    },
  };
}
