/** The one schema of the configuration: `luna.yaml` in LUNA_HOME, then the environment (LUNA_…), which wins. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigError } from '../engine/errors.ts';
import {
  brokerAddress,
  databaseAddress,
  filesAddress,
  modelAddress,
  ownerAddress,
  passagesAddress,
  providerAddress,
  proxyAddress,
  seriesAddress,
  tlsFaults,
  webAddress,
} from './config-checks.ts';

const flag = z.union([
  z.boolean(),
  z.enum(['0', '1', 'true', 'false', '']).transform((v) => v === '1' || v === 'true'),
]);
const port = z.coerce.number().int().min(0).max(65535);
const list = z.union([
  z.array(z.string()),
  z.string().transform((v) =>
    v
      .split(',')
      .map((s) => s.trim())
      .filter(Boolean),
  ),
]);
const days = z.coerce.number().int().min(1).nullable();
const bytes = z.coerce
  .number()
  .int()
  .min(16 * 1024 * 1024);

/** Flat on purpose: a key `x_y` of the file is `LUNA_X_Y` in the environment. */
export const ConfigSchema = z.strictObject({
  home: z.string().describe('Folder of everything the box keeps.'),
  host: z.string().default('0.0.0.0').describe('Address the web server and the broker listen on.'),
  port: port.default(8080).describe('Port of pages and API; 0 takes a free one.'),
  mqtt_port: port.default(1883).describe('Port of the embedded MQTT broker; 0 takes a free one.'),
  mqtts_port: port
    .nullable()
    .default(8883)
    .describe('Port of MQTT over TLS, where `tls` is on; 0 takes a free one, null is none.'),
  mqtt_url: brokerAddress
    .default(null)
    .describe('External broker to subscribe to as a client, e.g. mqtt://user:pass@broker:1883.'),
  mqtt_topics: list
    .default([])
    .describe('Topic filters to subscribe to on the external broker; empty: those of the devices.'),
  discovery: flag.default(true).describe('Publish Home Assistant MQTT discovery messages for what the box measures.'),
  public_url: webAddress.default(null).describe('Address people use in the browser, when a proxy stands in front.'),
  tls: z
    .enum(['off', 'self-made', 'files'])
    .default('off')
    .describe('HTTPS and MQTTS: off, a certificate the box makes itself, or your own files.'),
  tls_cert: z.string().nullable().default(null).describe('Path of the PEM certificate chain for tls: files.'),
  tls_key: z.string().nullable().default(null).describe('Path of the PEM private key for tls: files.'),
  trusted_proxies: list
    .pipe(z.array(proxyAddress))
    .default([])
    .describe('Addresses or CIDR ranges whose X-Forwarded-* headers are believed.'),
  database: databaseAddress.default('embedded').describe('`embedded`, or postgres://… of the unprivileged role.'),
  database_owner: ownerAddress
    .default(null)
    .describe('postgres://… of the owner role that runs migrations, with an external database.'),
  database_key: z
    .string()
    .nullable()
    .default(null)
    .describe(
      "Key that seals tenants, as hex, with an external database whose owner is not given: select encode(secret, 'hex') from luna.tenant_key.",
    ),
  series: seriesAddress
    .default('duckdb')
    .describe('`duckdb`, or questdb://host:9000?pg=8812 for QuestDB (HTTP and Postgres ports).'),
  passages: passagesAddress
    .default('embedded')
    .describe(
      '`embedded`, or qdrant://host:6333 for Qdrant (qdrants:// over TLS, `?api_key=…` where it asks for one).',
    ),
  files: filesAddress
    .default('folder')
    .describe(
      '`folder`, or s3://KEY:SECRET@host:9000/bucket?region=…&prefix=box/ for an S3 server (s3s:// over TLS). The bucket is made with versioning where it is missing.',
    ),
  ollama_url: modelAddress
    .default('http://127.0.0.1:11434')
    .describe(
      'Ollama server whose language model writes answers when it is there; null: answers are quotes only. Any other address on a private network needs an entry in allowed_hosts.',
    ),
  ollama_pull: flag
    .default(false)
    .describe(
      'Fetch the language and embedding models that Ollama lacks, in the background; Admin, Health shows how far it is.',
    ),
  embedding: z
    .string()
    .regex(/^(?:auto|off|onnx:.+|ollama:.+)$/, { error: 'is none of auto, off, onnx:DIR, ollama:MODEL' })
    .default('auto')
    .describe(
      'Embedding model for search by meaning: `onnx:DIR` for a sentence-transformers folder with ONNX, `ollama:MODEL`, `off`; `auto` takes the folder `embedding` in `home` where there is one, else nomic-embed-text of Ollama where it answers.',
    ),
  language_model: z.string().min(1).default('llama3.1:8b').describe('Language model that writes answers.'),
  language_context: z.coerce
    .number()
    .int()
    .min(2048)
    .max(1_000_000)
    .default(8192)
    .describe('Tokens that question, passages and answer may have together; more needs more memory.'),
  language_rerank_ms: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(0)
    .describe(
      'Milliseconds that the language model may take to put the ten best passages of a question in a better order; what comes later is left. 0: it is not asked. `luna eval retrieval` measures what it changes.',
    ),
  language_cost_per_million: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe('Estimated cost of a million tokens in EUR, for the audit log of the model.'),
  keep_answers_days: days
    .default(400)
    .describe('Days that conversations and the audit log of the model are kept; null keeps them for ever.'),
  demo: flag.default(false).describe('Start the demo site at once.'),
  metrics_token: z
    .string()
    .nullable()
    .default(null)
    .transform((text) => (text === '' ? null : text))
    .refine((text) => text === null || text.length >= 20, { error: 'has fewer than 20 characters' })
    .describe(
      'Bearer token that opens /metrics and nothing else, for a Prometheus on another machine or in a container.',
    ),
  otlp_url: webAddress
    .default(null)
    .describe(
      'OpenTelemetry collector that traces are sent to over HTTP, e.g. http://collector:4318; null sends none.',
    ),
  otlp_share: z.coerce.number().min(0).max(1).default(0.1).describe('Share of requests and readings that are traced.'),
  log_level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  journal_max_bytes: bytes
    .default(8 * 1024 ** 3)
    .describe(
      'Bound of the journal on disk: the default holds a series store away for three days at 200 readings a second. At the bound new readings are refused, so that senders keep them.',
    ),
  journal_segment_bytes: z.coerce
    .number()
    .int()
    .min(1024 * 1024)
    .default(32 * 1024 * 1024)
    .describe('Size of one journal segment file.'),
  disk_low_bytes: bytes.default(2 * 1024 ** 3).describe('Free space on the disk of `home` below which an alert warns.'),
  disk_full_bytes: bytes
    .default(256 * 1024 ** 2)
    .describe('Free space on the disk of `home` below which an alert says that it is full.'),
  keep_readings_days: days.default(730).describe('Days that raw readings are kept; null keeps them for ever.'),
  keep_slots_days: days.default(null).describe('Days that slots are kept; null keeps them for ever.'),
  keep_prices_days: days.default(null).describe('Days that prices are kept; null keeps them for ever.'),
  forecast_networks: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe(
      'Whether random forests and networks compete among forecast models, which takes minutes a week: `auto` where a graphics card computes.',
    ),
  keep_forecasts_days: days.default(400).describe('Days that forecasts are kept; null keeps them for ever.'),
  duckdb_memory: z
    .string()
    .default('1GB')
    .describe('The most memory that DuckDB may take for one large piece of work; it keeps 48 MB otherwise.'),
  price_sources: list
    .default(['energy-charts', 'awattar', 'smard', 'entsoe', 'octopus', 'ercot', 'tibber'])
    .describe('Price providers in the order they are tried.'),
  entsoe_token: z.string().nullable().default(null).describe('Security token of the ENTSO-E transparency platform.'),
  tibber_token: z.string().nullable().default(null).describe('Access token of the Tibber API.'),
  ercot_user: z.string().nullable().default(null).describe('User name of the ERCOT public API account.'),
  ercot_password: z.string().nullable().default(null).describe('Password of the ERCOT public API account.'),
  ercot_key: z.string().nullable().default(null).describe('Subscription key of the ERCOT public API.'),
  provider_urls: z
    .record(z.string(), providerAddress)
    .default({})
    .describe("Base URLs that replace the providers' own (mirrors, tests), by provider name."),
  allowed_hosts: list
    .default([])
    .describe(
      'Hosts on private networks that price, weather, webhook, mail and language-model addresses may lead to, e.g. mail.local or 10.0.0.5:8025. Hosts in provider_urls are allowed by that.',
    ),
  weather: z.enum(['open-meteo', 'off']).default('open-meteo').describe('Weather source.'),
  upload_max_bytes: bytes.default(64 * 1024 ** 2).describe('Largest file that may be uploaded.'),
  backup_dir: z
    .string()
    .nullable()
    .default(null)
    .transform((path) => (path === '' ? null : path))
    .describe('Folder of the backups, best on another disk; null is `backups` in `home`.'),
  backup_at: z
    .string()
    .regex(/^(off|([01]\d|2[0-3]):[0-5]\d)$/, { error: 'is no time such as 02:30, nor off' })
    .default('02:30')
    .describe('When a backup is made each day (UTC, hh:mm), or `off` for none.'),
  backup_every_min: z.coerce
    .number()
    .min(0.01)
    .max(13)
    .default(10)
    .describe(
      'Minutes between two copies of what is new since the last backup; with the time of a copy, at most 15 minutes are lost with the box.',
    ),
  backup_keep_daily: z.coerce.number().int().min(2).default(7).describe('Days of which the backup is kept.'),
  backup_keep_weekly: z.coerce.number().int().min(0).default(4).describe('Weeks of which a backup is kept.'),
  backup_stale_hours: z.coerce
    .number()
    .min(0.001)
    .default(26)
    .describe('Age of the newest backup from which an alert warns.'),
  backup_passphrase_file: z
    .string()
    .nullable()
    .default(null)
    .transform((path) => (path === '' ? null : path))
    .describe('File with the passphrase that seals the keys of the box in its backups; without one they are left out.'),
  mlflow_url: webAddress
    .default(null)
    .describe(
      'Address of an MLflow tracking server that is told of each training of a model, e.g. http://mlflow:5000.',
    ),
  session_hours: z.coerce
    .number()
    .int()
    .min(1)
    .default(24 * 14)
    .describe('How long a sign-in lasts.'),
});
export type Config = z.infer<typeof ConfigSchema>;

/** Variables that set-up and tests use and that are no configuration of the box. */
const OUTSIDE = /^LUNA_(TEST_|BENCH_|NODE)/;

/** @throws ConfigError that lists all faults at once. */
export function loadConfig(environment: Record<string, string | undefined>, cwd = process.cwd()): Config {
  const home = resolve(cwd, environment.LUNA_HOME ?? join(homedir(), '.luna'));
  const file = join(home, 'luna.yaml');
  const fromFile = existsSync(file) ? parseFile(file) : {};
  const fromEnvironment: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('LUNA_') || OUTSIDE.test(name) || value === undefined) continue;
    const given = name.slice(5).toLowerCase();
    if (isInFile(given) && value === '') continue;
    const [key, text] = isInFile(given) ? [given.slice(0, -'_file'.length), secretIn(name, value)] : [given, value];
    fromEnvironment[key] = key === 'provider_urls' ? mappingOf(text) : text;
  }
  const values = { ...fromFile, ...fromEnvironment, home };
  const parsed = ConfigSchema.safeParse(values);
  const faults = [...(parsed.success ? [] : faultsOf(parsed.error, file)), ...tlsFaults(values)];
  if (!parsed.success || faults.length > 0)
    throw new ConfigError(
      `The configuration has faults: ${faults.join('; ')}.`,
      'docs/reference/configuration.md lists every key.',
    );
  return parsed.data;
}

/** `LUNA_DATABASE_FILE` names a file that holds the value of `LUNA_DATABASE`, as containers get their secrets. */
function isInFile(key: string): boolean {
  return key.endsWith('_file') && !(key in ConfigSchema.shape) && key.slice(0, -'_file'.length) in ConfigSchema.shape;
}

/** @throws ConfigError */
function secretIn(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ConfigError(`${name}: ${file} cannot be read (${(cause as Error).message}).`, 'Name a readable file.', {
      cause,
    });
  }
}

/** Text that is no YAML stays text, which the schema refuses with the other faults. */
function mappingOf(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return text;
  }
}

function parseFile(file: string): Record<string, unknown> {
  try {
    return (parseYaml(readFileSync(file, 'utf8')) as Record<string, unknown> | null) ?? {};
  } catch (error) {
    throw new ConfigError(`${file} is no valid YAML: ${(error as Error).message}`, 'Mend the line that is named.', {
      cause: error,
    });
  }
}

function faultsOf(error: z.ZodError, file: string): string[] {
  return error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => `unknown key ${key} (in ${file} or LUNA_${key.toUpperCase()})`).join('; ');
    return `${issue.path.join('.')}: ${issue.message}`;
  });
}
