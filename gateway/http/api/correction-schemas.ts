/** The shapes of repairs in the API. */
import { z } from '@hono/zod-openapi';
import { InstantSchema } from '../api.ts';

const ChoiceSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('value'), value: z.number() }),
    z.object({ kind: z.literal('energy'), energy: z.number() }),
    z.object({ kind: z.literal('interpolate') }),
    z.object({ kind: z.literal('missing') }),
  ])
  .openapi('RepairChoice', {
    description:
      'value: all readings of the span. energy: kWh (m³) of the whole span, spread like the same hours of other days. ' +
      'interpolate: a straight line from the reading before to the one after. missing: no value.',
  });

export const SpanSchema = z
  .object({
    meter: z.string().openapi({ example: 'main' }),
    quantity: z.string().openapi({ example: 'import_kWh' }),
    from: InstantSchema,
    to: InstantSchema.openapi({ description: 'Readings at both ends belong to the span.' }),
    choice: ChoiceSchema,
  })
  .openapi('RepairSpan');

const value = z.number().nullable();
const SumsSchema = z.object({ span: value, days: value, cost: value, days_cost: value });
export const EffectSchema = z
  .object({
    unit: z.string(),
    changed: z.array(z.object({ at: z.iso.datetime(), before: value, after: value })),
    slots: z.object({
      unit: z.string(),
      rows: z.array(z.object({ at: z.iso.datetime(), before: value, after: value })),
    }),
    sums: z
      .object({ unit: z.string(), currency: z.string().nullable(), before: SumsSchema, after: SumsSchema })
      .nullable()
      .openapi({ description: 'Of the span and of the local days it touches; null where another quantity decides.' }),
    notes: z.array(z.enum(['register_decides', 'rest_follows'])),
  })
  .openapi('RepairEffect');

export const ActSchema = z
  .object({
    id: z.uuid(),
    meter: z.string(),
    quantity: z.string(),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    kind: z.enum(['values', 'value', 'energy', 'interpolate', 'missing', 'lift', 'undo', 'redo']),
    amount: value,
    target: z.uuid().nullable().openapi({ description: 'Of an undo or redo: the repair it is about.' }),
    taken_back: z.boolean(),
    state: z.enum(['begun', 'done', 'revoking', 'refused']),
    by: z.string(),
    at: z.iso.datetime(),
    reason: z.string(),
    count: z.number().int().openapi({ description: 'Readings that it changed.' }),
  })
  .openapi('RepairAct');

export const ChangeSchema = z.object({ at: z.iso.datetime(), before: value, after: value, lifted: z.boolean() });
