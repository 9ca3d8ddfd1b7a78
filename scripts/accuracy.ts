/**
 * Writes the accuracy table of docs/forecasting.md from the figures that benches kept with `--record` (docs/figures).
 * What has no figure says so; nothing is written by hand.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Figure } from './guarantees.ts';

const PAGE = join(import.meta.dirname, '../docs/forecasting.md');
const FIGURES = join(import.meta.dirname, '../docs/figures');
const [BEGIN, END] = ['<!-- accuracy: begin -->', '<!-- accuracy: end -->'];

type Row = {
  /** Name of the file in docs/figures. */
  figure: string;
  what: string;
  measured: (figure: Figure) => string;
  /** First aim, then the others. */
  aims: string;
  /** Whether the first aim is reached. */
  reached: (figure: Figure) => boolean;
};

const at = (figure: Figure, key: string): number => Number(figure[key]);
const most = (key: string, limit: number) => (figure: Figure) => at(figure, key) <= limit;

const epf = (market: string, name: string, first: number, aims: string): Row => ({
  figure: `epf-${market}`,
  what: `\`epf\`, ${name}`,
  measured: (f) =>
    `MAE ${f.mae} over ${f.days} days (published LEAR ensemble on the same hours ${f.published_lear_mae}, one-sided GW p ${f.gw_p}); ${f.cpu_s} CPU-s`,
  aims,
  reached: (f) => at(f, 'mae') <= first && at(f, 'gw_p') < 0.05,
});

const load = (set: string, mase: number, pinball: number, cpu_s: number, others: string): Row => ({
  figure: `load-${set}`,
  what: `\`load --set ${set}\``,
  measured: (f) =>
    `MASE ${f.mase}, scaled pinball ${f.pinball_scaled}, coverage of the 90 % band ${f.coverage90}; ${f.cpu_s} CPU-s, ${f.series} series, ${f.days} days (last week ${f.mase_lag168}, trees alone ${f.mase_trees}, best ridge ${Math.min(...['mase_ridge_30', 'mase_ridge_300', 'mase_ridge_3000'].map((key) => at(f, key)))})`,
  aims: `MASE ${mase}, pinball ${pinball}, ${cpu_s} CPU-s; then ${others}`,
  reached: (f) => at(f, 'mase') <= mase && at(f, 'pinball_scaled') <= pinball && at(f, 'cpu_s') <= cpu_s,
});

const ROWS: readonly Row[] = [
  epf('np', 'Nord Pool', 1.738, '1.738, then 1.631, 1.58'),
  epf('pjm', 'PJM', 3.013, '3.013, then 2.787, 2.75'),
  epf('de', 'Germany', 3.609, '3.609, then 3.330, 3.29'),
  {
    figure: 'epf-quantiles',
    what: '`epf-quantiles`',
    measured: (f) =>
      `mean pinball ${f.pinball}; coverage of the 90 % band ${f.coverage90}, by hour ${f.coverage90_hour_min}–${f.coverage90_hour_max}, by year ${f.coverage90_year_min}–${f.coverage90_year_max}`,
    aims: '4.85, then 4.60, 4.50; coverage .885–.915, by hour and year .87–.93',
    reached: most('pinball', 4.85),
  },
  load('cambridge', 0.587, 0.224, 200, '.565 / .222, .550 / .222'),
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: an aim, no logarithm
  load('uci', 0.693, 0.259, 70, '.660 / .250, .650 / .250'),
  load('nrel', 0.582, 0.226, 10, '.582 / .226, .560 / .226'),
  load('citylearn-load', 0.754, 0.28, 80, '.710 / .272, .700 / .272'),
  load('citylearn-pv', 0.704, 0.301, 45, '.651 / .268, .640 / .268'),
  {
    figure: 'intraday',
    what: '`intraday --set uci`',
    measured: (f) =>
      `MAE ${f.mae} (${[1, 2, 3, 4].map((h) => f[`mae_h${h}`]).join(', ')} at 1 to 4 h); ${f.cpu_s} CPU-s`,
    aims: '.411, then .388',
    reached: most('mae', 0.411),
  },
  {
    figure: 'lstm',
    what: '`lstm`',
    measured: (f) =>
      `RMSE ${f.rmse} against ${f.rmse_naive} of the last hour (ERCOT ${f.rmse_ercot} / ${f.rmse_naive_ercot}, Nord Pool ${f.rmse_np} / ${f.rmse_naive_np}); loss ${f.loss_first} to ${f.loss_last}; revived bit-identically: ${f.bit_identical}`,
    aims: 'below the last hour, falling loss, bit-identical',
    reached: (f) =>
      at(f, 'rmse') < at(f, 'rmse_naive') && at(f, 'loss_last') < at(f, 'loss_first') && f.bit_identical === true,
  },
  {
    figure: 'peak-hour',
    what: '`peak-hour`',
    measured: (f) =>
      `AUC ${f.auc} against ${f.auc_naive} of yesterday's prices (${['np', 'pjm', 'de'].map((m) => `${m.toUpperCase()} ${f[`auc_${m}`]} / ${f[`auc_naive_${m}`]}`).join(', ')})`,
    aims: '0.03 more than yesterday’s',
    reached: (f) => at(f, 'auc') >= at(f, 'auc_naive') + 0.03,
  },
  {
    figure: 'gbdt',
    what: '`gbdt`',
    measured: (f) =>
      `MAE ${f.mae} against ${f.mae_lightgbm} of LightGBM, ${f.time_ratio} times its time, Shapley values within ${f.shap_gap}`,
    aims: 'within 1 %, 3 times, 1e-9',
    reached: (f) =>
      at(f, 'mae') <= 1.01 * at(f, 'mae_lightgbm') && at(f, 'time_ratio') <= 3 && at(f, 'shap_gap') <= 1e-9,
  },
  {
    figure: 'anomaly-nab',
    what: '`anomaly-nab`',
    measured: (f) =>
      `score ${f.score} (${['nyc_taxi', 'machine_temperature_system_failure', 'ambient_temperature_system_failure'].map((name) => `${name.replace(/_system_failure/, '').replaceAll('_', ' ')} ${f[`score_${name}`]}`).join(', ')}); ${f.found} of ${f.windows} found, ${f.false_alarms} false alarms`,
    aims: '56.9, then 69.8, 86.3',
    reached: (f) => at(f, 'score') >= 56.9,
  },
  {
    figure: 'anomaly-faults',
    what: '`anomaly-faults` (what the settings were chosen on)',
    measured: (f) =>
      `score ${f.score}; ${f.found} of ${f.faults} faults found, ${f.false_alarms_per_100_days} false alarms in 100 days`,
    aims: '—',
    reached: () => true,
  },
  {
    figure: 'forecast-latency',
    what: '`forecast-latency`',
    measured: (f) => `200 meters in ${f.fleet_ms} ms, one in ${f.one_p95_ms} ms (p95)`,
    aims: '2000 ms, 50 ms',
    reached: (f) => at(f, 'fleet_ms') <= 2000 && at(f, 'one_p95_ms') <= 50,
  },
  {
    figure: 'gpu-probe',
    what: '`gpu-probe`',
    measured: (f) =>
      ['cuda', 'webgpu', 'wasm', 'plain']
        .map((name) =>
          f[`${name}_device`] === null
            ? `${name}${name === 'cuda' ? ' (unverified)' : ''}: not there`
            : `${name} on ${f[`${name}_device`]}${f[`${name}_software`] ? ' (software adapter)' : ''}: ${f[`${name}_step_ms`]} ms, ${f[`${name}_max_rel_diff`]} off`,
        )
        .join('; '),
    aims: 'within 1e-4',
    reached: (f) =>
      ['cuda', 'webgpu', 'wasm', 'plain'].every(
        (name) => f[`${name}_device`] === null || at(f, `${name}_max_rel_diff`) <= 1e-4,
      ),
  },
];

/** The table in Markdown. */
export function accuracyTable(figures: ReadonlyMap<string, Figure>): string {
  const rows = ROWS.map((row) => {
    const figure = figures.get(row.figure);
    const measured = figure ? row.measured(figure) : 'not recorded yet';
    const state = figure ? (row.reached(figure) ? 'yes' : '**no**') : '—';
    return `| ${row.what} | ${measured} | ${row.aims} | ${state} | ${figure?.recorded ?? '—'} |`;
  });
  return ['| bench | measured | aims | first reached | recorded |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** The page with the table between its marks. @throws where the marks are missing. */
export function withTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/forecasting.md lacks ${BEGIN} or ${END}.`);
  return `${page.slice(0, from + BEGIN.length)}\n${table}\n${page.slice(to)}`;
}

/** By the name of their file: a bench that runs over several sets has one each. */
function readFigures(): Map<string, Figure> {
  const files = readdirSync(FIGURES).filter((name) => name.endsWith('.json'));
  return new Map(
    files.map((name) => [
      name.slice(0, -'.json'.length),
      Figure.parse(JSON.parse(readFileSync(join(FIGURES, name), 'utf8'))),
    ]),
  );
}

export function writeAccuracy(): void {
  writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), accuracyTable(readFigures())));
}

if (import.meta.main) writeAccuracy();
