/** All metrics of the box in one place, so that names and labels stay consistent; served at /metrics. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

const LATENCY_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Creates the registry and every metric. */
export function createMetrics(options: { defaults?: boolean } = {}) {
  const registry = new Registry();
  if (options.defaults ?? true) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const book = (state: string, help: string) =>
    new Gauge({ name: `luna_readings_${state}`, help, labelNames: ['source'], registers });
  return {
    registry,
    readings: new Counter({
      name: 'luna_readings_total',
      help: 'Readings by source and outcome (accepted, flagged, rejected).',
      labelNames: ['tenant', 'source', 'outcome'],
      registers,
    }),
    readings_received: book('received', 'Readings answered since the box was set up: acknowledged or rejected.'),
    readings_stored: book(
      'stored',
      'Readings that the series store took: new ones, and other values for known instants.',
    ),
    readings_duplicate: book('duplicate', 'Acknowledged readings that said again what was stored.'),
    readings_rejected: book('rejected', 'Readings that were rejected with a reason.'),
    readings_dead: book('dead_lettered', 'Readings put aside because the series store refuses them.'),
    readings_waiting: book('waiting', 'Acknowledged readings on their way from the journal into the series store.'),
    readings_missing: new Gauge({
      name: 'luna_readings_missing',
      help: 'Acknowledged readings that nothing accounts for: received less stored, duplicate, rejected, dead-lettered and waiting.',
      registers,
    }),
    ingest_s: new Histogram({
      name: 'luna_ingest_seconds',
      help: 'From arrival to durable acknowledgement.',
      labelNames: ['source'],
      buckets: LATENCY_S,
      registers,
    }),
    journal_bytes: new Gauge({ name: 'luna_journal_bytes', help: 'Journal on disk.', registers }),
    journal_fsync_s: new Histogram({
      name: 'luna_journal_fsync_seconds',
      help: 'Time of one group commit.',
      buckets: LATENCY_S,
      registers,
    }),
    journal_quarantined: new Gauge({
      name: 'luna_journal_quarantined_segments',
      help: 'Segments set aside because their checksum failed.',
      registers,
    }),
    drain_lag: new Gauge({
      name: 'luna_drain_lag_records',
      help: 'Journal records that are not in the series store yet.',
      registers,
    }),
    drained: new Counter({
      name: 'luna_drained_records_total',
      help: 'Journal records applied to the series store.',
      registers,
    }),
    doubled: new Gauge({
      name: 'luna_drain_doubled_records',
      help: 'Journal records that the series store applied more than once, over all starts; NaN where it does not count.',
      registers,
    }),
    mqtt_clients: new Gauge({ name: 'luna_mqtt_clients', help: 'Connected MQTT clients.', registers }),
    mqtt_refused: new Counter({
      name: 'luna_mqtt_refused_total',
      help: 'Refused connections, publishes and subscribes.',
      labelNames: ['reason'],
      registers,
    }),
    modbus_reads: new Counter({
      name: 'luna_modbus_reads_total',
      help: 'Modbus requests by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    query_s: new Histogram({
      name: 'luna_query_seconds',
      help: 'Questions to the series store.',
      labelNames: ['table', 'operation'],
      buckets: LATENCY_S,
      registers,
    }),
    route_s: new Histogram({
      name: 'luna_http_seconds',
      help: 'HTTP requests.',
      labelNames: ['method', 'route', 'status'],
      buckets: LATENCY_S,
      registers,
    }),
    jobs: new Gauge({ name: 'luna_jobs', help: 'Jobs by queue and state.', labelNames: ['queue', 'state'], registers }),
    job_s: new Histogram({
      name: 'luna_job_seconds',
      help: 'Run time of jobs.',
      labelNames: ['queue', 'outcome'],
      registers,
    }),
    forecasts: new Counter({
      name: 'luna_forecasts_total',
      help: 'Forecasts made.',
      labelNames: ['tenant', 'series', 'model', 'outcome'],
      registers,
    }),
    forecast_cache: new Counter({
      name: 'luna_forecast_cache_total',
      help: 'Asked for the newest forecast: answered from memory (hit) or from the store (miss).',
      labelNames: ['outcome'],
      registers,
    }),
    model_runs: new Counter({
      name: 'luna_model_runs_total',
      help: 'Trainings of forecast models by outcome (done, failed, cancelled).',
      labelNames: ['series', 'horizon', 'outcome'],
      registers,
    }),
    neural_backend: new Gauge({
      name: 'luna_neural_backend_step_seconds',
      help: 'A training step of a small network, by backend; 0 where it was refused. state: chosen, slower or refused.',
      labelNames: ['backend', 'device', 'state'],
      registers,
    }),
    model_coverage: new Gauge({
      name: 'luna_forecast_coverage90',
      help: 'Share of hours within the 90 % band of the live model, over its last 28 scored days.',
      labelNames: ['tenant', 'series', 'horizon'],
      registers,
    }),
    provider_runs: new Counter({
      name: 'luna_provider_runs_total',
      help: 'Runs of price and weather providers.',
      labelNames: ['provider', 'outcome'],
      registers,
    }),
    retrieval_s: new Histogram({
      name: 'luna_retrieval_seconds',
      help: 'From a question to its passages.',
      buckets: LATENCY_S,
      registers,
    }),
    retrieval_recall: new Gauge({
      name: 'luna_retrieval_recall5',
      help: 'Share of the questions of a golden set whose section was among the first five, at the last evaluation.',
      labelNames: ['tenant', 'golden_set'],
      registers,
    }),
    ann_recall: new Gauge({
      name: 'luna_passages_ann_recall10',
      help: 'Share of the truly nearest ten passages that the passage index finds, at the last evaluation.',
      labelNames: ['tenant'],
      registers,
    }),
    questions: new Counter({
      name: 'luna_questions_total',
      help: 'Questions about regulation by outcome.',
      labelNames: ['tenant', 'outcome'],
      registers,
    }),
    model_s: new Histogram({
      name: 'luna_model_seconds',
      help: 'Requests to the language model by outcome (written, or the kind of fault).',
      labelNames: ['model', 'outcome'],
      buckets: [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
      registers,
    }),
    model_tokens: new Counter({
      name: 'luna_model_tokens_total',
      help: 'Tokens of prompts and answers of the language model.',
      labelNames: ['model', 'kind'],
      registers,
    }),
    notifications: fromZero(
      new Counter({
        name: 'luna_notifications_total',
        help: 'Attempts to deliver messages about alerts, by outcome (sent, failed, refused).',
        labelNames: ['outcome'],
        registers,
      }),
      [{ outcome: 'sent' }, { outcome: 'failed' }, { outcome: 'refused' }],
    ),
    part_up: new Gauge({
      name: 'luna_part_up',
      help: 'Parts of the box as Admin, Health tells them: 1 works, 0 does not.',
      labelNames: ['part'],
      registers,
    }),
    disk_free: new Gauge({ name: 'luna_disk_free_bytes', help: 'Free on the disk of LUNA_HOME.', registers }),
    certificate_s: new Gauge({
      name: 'luna_certificate_remaining_seconds',
      help: 'Until the certificate of the box ends; NaN without one.',
      registers,
    }),
    backup_age_s: new Gauge({
      name: 'luna_backup_age_seconds',
      help: 'Since the newest state that a restore brings back; NaN without a backup.',
      registers,
    }),
    backup_bytes: new Gauge({ name: 'luna_backup_bytes', help: 'The newest backup.', registers }),
    backup_s: new Gauge({
      name: 'luna_backup_duration_seconds',
      help: 'What the newest backup took.',
      registers,
    }),
    backups: new Counter({
      name: 'luna_backups_total',
      help: 'Backups and continuations by outcome (made, failed).',
      labelNames: ['what', 'outcome'],
      registers,
    }),
    decisions: new Counter({
      name: 'luna_decisions_total',
      help: 'Advice decisions and feedback.',
      labelNames: ['tenant', 'outcome'],
      registers,
    }),
  };
}

/** Prometheus counts from the first sample it sees: one that begins at 1 loses its first event. */
function fromZero<Label extends string>(
  counter: Counter<Label>,
  labels: readonly Partial<Record<Label, string>>[],
): Counter<Label> {
  for (const one of labels) counter.inc(one, 0);
  return counter;
}
