/** How a tariff is written in YAML: the shape, with the words that the reference page shows. */
import { z } from 'zod';

const price = (what: string) => z.number().min(-1e6).max(1e6).describe(what);
const kW = (what: string) => z.number().min(0).max(1e7).describe(what);
const texts = z.union([z.string(), z.array(z.string()).min(1)]);
const name = z.string().trim().min(1).max(80).describe('What the bill calls it.');
const vat_percent = z.number().min(0).max(100).describe("VAT in percent; the tariff's where left out.");
const meanOver = z.union([z.literal(15), z.literal(30), z.literal(60)]);

const WhenSchema = z
  .strictObject({
    weekdays: texts.optional().describe('`mon-fri`, or a list such as `[sat, sun]`.'),
    hours: texts.optional().describe('`06:00-22:00`, or a list; `22:00-06:00` runs over midnight.'),
    dates: texts.optional().describe('`10-01..03-31` (month-day), or a list; both ends are meant.'),
    months: z.array(z.int().min(1).max(12)).min(1).optional().describe('Whole months, 1 to 12.'),
    holidays: z
      .enum(['count', 'as-sunday', 'only', 'never'])
      .default('count')
      .describe('`count`: days like any other; `as-sunday`; `only` on holidays; `never` on them.'),
  })
  .describe('All conditions given must hold, on the wall clock of the time zone.');

const MarketSchema = z.strictObject({
  area: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/, 'is no market area such as DE-LU or HB_HOUSTON')
    .describe('Market area such as `DE-LU`, `NO1`, `HB_HOUSTON`.'),
  kind: z.enum(['day-ahead', 'real-time']).default('day-ahead').describe('Which of its prices.'),
});

const PricedMarketSchema = MarketSchema.extend({
  factor: z.number().min(-100).max(100).default(1).describe('Times the market price.'),
  fee_per_kWh: price('Added after the factor.').default(0),
  exchange: z
    .strictObject({ currency: z.string(), rate: z.number().positive().max(1e6) })
    .optional()
    .describe('For a market in another currency: what one unit of it is in the currency of the tariff.'),
  mean_min: meanOver.default(15).describe('Mean of the market price over so many minutes.'),
  min_per_kWh: price('Never less than this.').optional(),
  max_per_kWh: price('Never more than this.').optional(),
});

const periodsOf = <Value extends z.ZodRawShape>(value: Value) =>
  z
    .array(z.strictObject({ name, ...value, when: WhenSchema.optional() }))
    .min(1)
    .describe('The first one that holds counts; the last one has no `when` and holds otherwise.');
const byMonth = z.record(z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'is no month such as 2026-01'), z.number());

/** Exactly one of these says the price of a charge per kWh. */
const priceShape = {
  price_per_kWh: price('One price for every kWh.').optional(),
  periods: periodsOf({ price_per_kWh: price('Price of a kWh in this period.') }).optional(),
  price_by_month: byMonth.optional().describe('`2026-01: 0.0712`, such as a market value published after the month.'),
  market: PricedMarketSchema.optional(),
};

const EnergySchema = z.strictObject({
  name,
  ...priceShape,
  vat_percent: vat_percent.optional(),
  meter: z.string().optional().describe('Only the energy of this meter point, at most what the grid gave in the slot.'),
  without: z.array(z.string()).optional().describe('Without the energy of these meter points (as above).'),
});

const FeedInSchema = z.strictObject({
  name,
  ...priceShape,
  vat_percent: vat_percent.optional(),
  unless_negative: MarketSchema.optional().describe('Nothing is paid in slots with a negative price of this market.'),
});

const StandingSchema = z.strictObject({
  name,
  amount: price('Negative for a reduction.'),
  per: z.enum(['day', 'month', 'year']).describe('By days where only a part is due.'),
  vat_percent: vat_percent.optional(),
});

const DemandSchema = z.strictObject({
  name,
  per: z.enum(['month', 'year']).describe('The billing period whose peak counts.'),
  mean_min: meanOver.default(15).describe('Power is the mean over so many minutes.'),
  peaks: z.int().min(1).max(31).default(1).describe('The mean of so many of the largest peaks is billed.'),
  of: z.enum(['intervals', 'days']).default('intervals').describe('`days`: each peak from another day.'),
  price_per_kW: price('For each kW and period.').optional(),
  steps: z
    .array(
      z.strictObject({ up_to_kW: kW('This amount is due up to it.').optional(), amount: price('For the period.') }),
    )
    .min(1)
    .optional()
    .describe('Amounts by the step that the billed power lies in; the last has no `up_to_kW`.'),
  blocks: z
    .array(
      z.strictObject({ up_to_kW: kW('This price holds up to it.').optional(), price_per_kW: price('For each kW.') }),
    )
    .min(1)
    .optional()
    .describe('Prices of the kW in each block; the last has no `up_to_kW`.'),
  at_least_kW: kW('At least this is billed.').default(0),
  ratchet: z
    .strictObject({ percent: z.number().min(0).max(100), months: z.int().min(1).max(36) })
    .optional()
    .describe('At least `percent` of the largest power of the `months` before is billed.'),
  when: WhenSchema.optional().describe('Only intervals in which this holds are measured.'),
  vat_percent: vat_percent.optional(),
});

const LimitSchema = z.strictObject({
  name,
  import_kW: kW('Most power from the grid.').optional(),
  export_kW: kW('Most power into the grid.').optional(),
  when: WhenSchema.optional(),
});

const Co2Schema = z.strictObject({
  g_per_kWh: z.number().min(0).max(5000).optional().describe('Grams of CO2 behind a kWh from the grid.'),
  periods: periodsOf({ g_per_kWh: z.number().min(0).max(5000) }).optional(),
  by_month: byMonth.optional(),
});

export const TariffSchema = z.strictObject({
  name,
  currency: z.string().describe('ISO 4217, such as EUR.'),
  time_zone: z.string().describe('IANA name, such as Europe/Berlin.'),
  holidays: z.string().optional().describe('Whose public holidays count: `DE`, `DE-BY`, `NO`.'),
  vat_percent: z
    .number()
    .min(0)
    .max(100)
    .describe('VAT on all prices that name no other; prices are written without it.'),
  rounding: z.enum(['half-up', 'half-even']).default('half-up').describe('How each line of the bill is rounded.'),
  energy: z.array(EnergySchema).max(50).default([]).describe('Prices per kWh from the grid; they add up.'),
  feed_in: z.array(FeedInSchema).max(20).default([]).describe('Payments per kWh fed in; they add up.'),
  standing: z.array(StandingSchema).max(50).default([]).describe('What is due whatever is taken.'),
  demand: z.array(DemandSchema).max(20).default([]).describe('Prices for power.'),
  limits: z.array(LimitSchema).max(20).default([]).describe('Most power at the grid connection.'),
  co2: Co2Schema.optional().describe('CO2 behind a kWh from the grid.'),
});

export type TariffText = z.output<typeof TariffSchema>;
export type WhenText = z.output<typeof WhenSchema>;
