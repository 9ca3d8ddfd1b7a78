/** Power by source and sink as steps, state of charge, the price under it; the sentences of a slot in its table. */
import { type Layer, type Plot, type Tone, timeChart } from '../charts/time-chart.ts';
import type { Html, Ui } from '../ui.ts';
import type { PlanShown } from './plan.ts';
import { reasonSentence } from './plan-words.ts';

type Device = PlanShown['devices'][number];
const DEVICE_STYLES = ['', 'dashed', 'thin', 'dashed faint', 'thin faint', 'faint'] as const;
const KEY_SHAPES = ['line', 'dashed', 'faint', 'dashed faint', 'faint', 'faint'] as const;

export function planChart(plan: PlanShown, ui: Ui): Html {
  const slot_ms = plan.slot_min * 60_000;
  const at_ms = plan.grid_W.map((_, t) => plan.from_ms + t * slot_ms);
  const range = { from_ms: plan.from_ms, to_ms: plan.from_ms + at_ms.length * slot_ms };
  const now = {
    from_ms: Math.floor(ui.now_ms / slot_ms) * slot_ms,
    to_ms: Math.floor(ui.now_ms / slot_ms) * slot_ms + slot_ms,
  };
  const slot = (tone: Tone): Layer => ({ kind: 'slot', tone, ...now });
  const stores = plan.devices.filter(({ capacity_kWh }) => capacity_kWh !== null);
  const plots = [
    powerPlot(plan, at_ms, slot('import'), ui),
    devicePlot(plan, at_ms, slot('battery'), ui),
    ...(stores.length > 0 ? [socPlot(stores, at_ms, slot_ms, ui)] : []),
    pricePlot(plan, at_ms, slot('price'), ui),
  ];
  return timeChart(ui, {
    ...{
      id: 'chart-plan',
      label: ui.t('plan.chart_label'),
      range,
      now_ms: ui.now_ms,
      plots,
      table: tableOf(plan, at_ms, slot_ms, ui),
    },
  });
}

function powerPlot(plan: PlanShown, at_ms: readonly number[], slot: Layer, ui: Ui): Plot {
  const scale = ui.format.powerScale([...plan.grid_W, ...plan.load_W, ...plan.generation_W]);
  const generates = plan.generation_W.some((power) => power > 0);
  return {
    ...{ title: ui.t('plan.power'), unit: scale.unit, factor: scale.factor, tick: ui.format.tick },
    keys: [
      { tone: 'import', shape: 'line', text: ui.t('plan.grid') },
      { tone: 'grey', shape: 'dashed', text: ui.t('plan.unplanned') },
      { tone: 'load', shape: 'line', text: ui.t('plan.load') },
      ...(generates ? [{ tone: 'generation' as const, shape: 'line' as const, text: ui.t('plan.generation') }] : []),
    ],
    layers: [
      slot,
      { kind: 'step', tone: 'grey', at_ms, values: plan.unplanned_W, style: 'dashed' },
      ...(generates ? [{ kind: 'step' as const, tone: 'generation' as const, at_ms, values: plan.generation_W }] : []),
      { kind: 'step', tone: 'load', at_ms, values: plan.load_W },
      { kind: 'step', tone: 'import', at_ms, values: plan.grid_W, fill: true },
    ],
  };
}

function toneOf({ kind }: Device): Tone {
  return kind === 'battery' ? 'battery' : 'load';
}

function devicePlot(plan: PlanShown, at_ms: readonly number[], slot: Layer, ui: Ui): Plot {
  const scale = ui.format.powerScale(plan.devices.flatMap(({ power_W }) => [...power_W]));
  return {
    ...{
      title: ui.t('plan.device_power'),
      unit: scale.unit,
      factor: scale.factor,
      tick: ui.format.tick,
      height: 'low',
    },
    keys: plan.devices.map((device, i) => ({
      tone: toneOf(device),
      shape: KEY_SHAPES[i % KEY_SHAPES.length]!,
      text: device.name,
    })),
    layers: [
      slot,
      ...plan.devices.map(
        (device, i): Layer => ({
          ...{ kind: 'step', tone: toneOf(device), at_ms, values: device.power_W, fill: device.kind === 'battery' },
          style: DEVICE_STYLES[i % DEVICE_STYLES.length]!,
        }),
      ),
    ],
  };
}

/** At the end of each slot, as a line: energy has no steps. */
function socPlot(stores: readonly Device[], at_ms: readonly number[], slot_ms: number, ui: Ui): Plot {
  const ends = at_ms.map((at) => at + slot_ms);
  return {
    ...{ title: ui.t('plan.soc'), unit: '%', factor: 1, tick: ui.format.tick, height: 'low' },
    keys: stores.map((device, i) => ({
      tone: toneOf(device),
      shape: KEY_SHAPES[i % KEY_SHAPES.length]!,
      text: device.name,
    })),
    layers: stores.map(
      (device, i): Layer => ({
        ...{ kind: 'line', tone: toneOf(device), at_ms: ends, style: DEVICE_STYLES[i % DEVICE_STYLES.length]! },
        values: device.energy_kWh.map((energy) => (100 * energy) / device.capacity_kWh!),
      }),
    ),
  };
}

function pricePlot(plan: PlanShown, at_ms: readonly number[], slot: Layer, ui: Ui): Plot {
  const scale = ui.format.priceScale(plan.currency);
  const sells = plan.export_price.some((price) => price !== 0);
  return {
    ...{ title: ui.t('plan.price'), unit: scale.unit, factor: scale.factor, tick: ui.format.tick, height: 'low' },
    keys: [
      { tone: 'price', shape: 'line', text: ui.t('prices.site') },
      ...(sells ? [{ tone: 'export' as const, shape: 'faint' as const, text: ui.t('plan.feed_in') }] : []),
    ],
    layers: [
      slot,
      ...(sells
        ? [
            {
              kind: 'step' as const,
              tone: 'export' as const,
              at_ms,
              values: plan.export_price,
              style: 'thin faint' as const,
            },
          ]
        : []),
      { kind: 'step', tone: 'price', at_ms, values: plan.import_price, fill: true },
    ],
  };
}

function tableOf(plan: PlanShown, at_ms: readonly number[], slot_ms: number, ui: Ui) {
  const { t, format } = ui;
  const rows = at_ms.map((from_ms, k) => ({
    ...{ from_ms, to_ms: from_ms + slot_ms },
    cells: [
      format.power(plan.grid_W[k]!),
      format.power(plan.load_W[k]!),
      ...plan.devices.flatMap((device) => [
        format.power(device.power_W[k]!),
        device.capacity_kWh === null ? '–' : format.percent(device.energy_kWh[k]! / device.capacity_kWh),
      ]),
      format.price(plan.import_price[k]!, plan.currency),
      plan.devices.map((device) => reasonSentence(device, k, ui)).join('; '),
    ],
  }));
  const columns = [
    ...[t('plan.grid'), t('plan.load')],
    ...plan.devices.flatMap(({ name }) => [name, `${name}, ${t('plan.soc')}`]),
    ...[t('plan.price'), t('plan.table_reason')],
  ];
  return { columns, rows, csv: null };
}
