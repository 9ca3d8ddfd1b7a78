/**
 * Style, scripts and icons, from an allow-list: our own of web/static and those of libraries. Addresses hold a hash of
 * all files, so that browsers keep them for ever and a new version of the box is seen at once.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Hono } from 'hono';
import type { Env } from './api.ts';

const require = createRequire(import.meta.url);
const STATIC = join(import.meta.dirname, '../../web/static');

/** Files of libraries, by the name under which pages know them: package, and the path inside it. */
const LIBRARIES: Readonly<Record<string, readonly [name: string, path: string]>> = {
  'htmx.js': ['htmx.org', 'dist/htmx.min.js'],
  'htmx-sse.js': ['htmx-ext-sse', 'sse.js'],
  'idiomorph.js': ['idiomorph', 'dist/idiomorph-ext.min.js'],
  'uplot.js': ['uplot', 'dist/uPlot.esm.js'],
  'uplot.css': ['uplot', 'dist/uPlot.min.css'],
  'pdf.mjs': ['pdfjs-dist', 'build/pdf.min.mjs'],
  'pdf.worker.mjs': ['pdfjs-dist', 'build/pdf.worker.min.mjs'],
};

/** The fonts that every PDF may use without bringing them, under the names by which the reader asks for them. */
const PDF_FONTS = { name: 'pdfjs-dist', folder: 'standard_fonts' } as const;

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.ttf': 'font/ttf',
  '.pfb': 'application/octet-stream',
};

type Asset = { bytes: Buffer; type: string; etag: string; packed: Map<Encoding, Promise<Buffer>> };
type Encoding = 'br' | 'gzip';

export type Assets = {
  /** Serves `/static/<version>/<name>`. */
  app: Hono<Env>;
  /** The address of a file. Throws for a name that is not on the list, so that a typo fails in the first test. */
  url(name: string): string;
  names(): string[];
};

/** Reads the allowed files into memory; they are compressed when first asked for. */
export function createAssets(): Assets {
  const files = new Map<string, Asset>();
  for (const name of readdirSync(STATIC)) if (extname(name) in TYPES) files.set(name, assetOf(join(STATIC, name)));
  for (const [name, [library, path]] of Object.entries(LIBRARIES)) files.set(name, assetOf(libraryFile(library, path)));
  const fonts = dirname(libraryFile(PDF_FONTS.name, `${PDF_FONTS.folder}/FoxitSerif.pfb`));
  for (const name of readdirSync(fonts)) if (extname(name) in TYPES) files.set(name, assetOf(join(fonts, name)));
  const hash = createHash('sha256');
  for (const [name, asset] of [...files].sort()) hash.update(name).update(asset.etag);
  const version = hash.digest('hex').slice(0, 12);
  const app = new Hono<Env>();
  app.get('/static/:version/:name', async (c) => {
    const asset = files.get(c.req.param('name'));
    if (!asset) return c.notFound();
    const isCurrent = c.req.param('version') === version;
    const headers = {
      'content-type': asset.type,
      etag: asset.etag,
      vary: 'Accept-Encoding',
      'cache-control': isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache',
      'x-content-type-options': 'nosniff',
    };
    if (c.req.header('if-none-match')?.includes(asset.etag)) return c.body(null, 304, headers);
    const encoding = encodingOf(c.req.header('accept-encoding'), asset);
    if (!encoding) return c.body(new Uint8Array(asset.bytes), 200, headers);
    const packed = await pack(asset, encoding);
    return c.body(new Uint8Array(packed), 200, { ...headers, 'content-encoding': encoding });
  });
  return {
    app,
    url(name) {
      if (!files.has(name)) throw new Error(`${name} is not on the list of assets (gateway/http/assets.ts)`);
      return `/static/${version}/${name}`;
    },
    names: () => [...files.keys()],
  };
}

/** The file of an installed library; `require.resolve` finds it wherever npm put it. */
function libraryFile(library: string, path: string): string {
  const main = require.resolve.paths(library) ?? [];
  for (const folder of main) {
    const file = join(folder, library, path);
    try {
      readFileSync(file);
      return file;
    } catch {
      /* the next folder up */
    }
  }
  return join(dirname(require.resolve(library)), path);
}

function assetOf(file: string): Asset {
  const bytes = readFileSync(file);
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 20)}"`;
  return { bytes, type: TYPES[extname(file)] ?? 'application/octet-stream', etag, packed: new Map() };
}

const PACKABLE = /^(text\/|image\/svg|application\/wasm)/;

function encodingOf(accepted: string | undefined, asset: Asset): Encoding | null {
  if (!PACKABLE.test(asset.type) || asset.bytes.length < 512) return null;
  const names = (accepted ?? '').split(',').map((part) => part.trim());
  const takes = (name: string) => names.some((part) => part.startsWith(name) && !/;\s*q=0(\.0*)?$/.test(part));
  return takes('br') ? 'br' : takes('gzip') ? 'gzip' : null;
}

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);
/** Above this size the best compression would take seconds of a small box. */
const LARGE_BYTES = 400_000;

function pack(asset: Asset, encoding: Encoding): Promise<Buffer> {
  let packed = asset.packed.get(encoding);
  if (!packed) {
    const quality = asset.bytes.length > LARGE_BYTES ? 5 : 10;
    packed =
      encoding === 'br'
        ? brotli(asset.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } })
        : zip(asset.bytes, { level: 9 });
    asset.packed.set(encoding, packed);
  }
  return packed;
}
