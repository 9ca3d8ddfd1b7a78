/**
 * The tenant is in every series, passage and file call by type. That it must be given is held by `tsc` (the lines at
 * the end), and every method of the ports that keep data takes it first or is declared here with the reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { JournalledGroup } from '../../engine/model/reading.ts';
import type {
  Database,
  FileStore,
  ForecastTable,
  PassageIndex,
  ReadingTable,
  SeriesRange,
  SeriesStore,
  SlotTable,
} from '../../engine/ports.ts';

/** Methods whose first argument is no tenant, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'Closable.close': 'the whole thing',
  'SeriesStore.ping': 'the whole store',
  'SeriesStore.prune': 'one limit for all',
  'SeriesStore.snapshot': 'the whole store',
  'ReadingTable.append': 'each group carries its tenant',
  'ReadingTable.cursor': 'one journal for all',
  'PriceTable.write': 'market prices are public',
  'PriceTable.read': 'market prices are public',
  'PriceTable.remove': 'market prices are public',
  'Database.asSystem': 'tables of tenants look empty here',
  'Database.ping': 'the whole store',
  'FileStore.ping': 'the whole store',
};
const ENGINE = join(import.meta.dirname, '../../engine');
const FILES = ['ports.ts', ...readdirSync(join(ENGINE, 'ports')).map((name) => join('ports', name))];
const PORTS = FILES.map((name) => readFileSync(join(ENGINE, name), 'utf8')).join('\n');
const KEEPS_DATA = /^export interface (\w*(?:Table|Store|Index|Database|Closable))\b[^{]*\{(.*?)^\}/gms;

/** `Port.method` of everything that does not take `tenant: string` first. */
function withoutTenant(source: string): string[] {
  return [...source.matchAll(KEEPS_DATA)].flatMap(([, port, body = '']) =>
    [...body.matchAll(/^ {2}(\w+)\??(?:<[^>]*>)?\(\s*(\w+)?(\??)(?:: (\w+))?/gm)]
      .filter(([, , first, optional, type]) => first !== 'tenant' || optional !== '' || type !== 'string')
      .map(([, method]) => `${port}.${method}`),
  );
}

describe('the tenant by type', () => {
  it('comes first in every method of the ports that keep data, but the declared ones', () => {
    expect(withoutTenant(PORTS).sort()).toEqual(Object.keys(EXCEPTIONS).sort());
  });

  it.each([
    ['export interface NewTable {\n  read(range: SeriesRange): Promise<void>;\n}\n', 'NewTable.read'],
    ['export interface NewStore extends Closable {\n  find?(tenant?: string): Promise<void>;\n}\n', 'NewStore.find'],
    [
      'export interface NewIndex {\n  list(\n    limit: number,\n    tenant: string,\n  ): Promise<void>;\n}\n',
      'NewIndex.list',
    ],
    ['export interface NewTable {\n  all(): Promise<void>;\n}\n', 'NewTable.all'],
  ])('would be missed in %j', (source, method) => {
    expect(withoutTenant(source)).toEqual([method]);
  });

  it('is a text that must be given', () => {
    expectTypeOf<Parameters<SeriesStore['erase']>[0]>().toEqualTypeOf<string>();
    expectTypeOf<Parameters<ReadingTable['read']>[0]>().toEqualTypeOf<string>();
    expectTypeOf<Parameters<SlotTable['read']>[0]>().toEqualTypeOf<string>();
    expectTypeOf<Parameters<ForecastTable['latest']>[0]>().toEqualTypeOf<string>();
    expectTypeOf<Parameters<Database['asTenant']>[0]>().toEqualTypeOf<string>();
    expectTypeOf<JournalledGroup['tenant']>().toEqualTypeOf<string>();
    // Calls without it, or with nobody, fit none of these.
    type Search = Parameters<PassageIndex['search']>;
    expectTypeOf<[tenant: string, question: string, limit: number]>().toExtend<Search>();
    expectTypeOf<[question: string, limit: number]>().not.toExtend<Search>();
    expectTypeOf<[tenant: undefined, question: string, limit: number]>().not.toExtend<Search>();
    expectTypeOf<[name: string]>().not.toExtend<Parameters<FileStore['read']>>();
    expectTypeOf<[tenant: null, name: string]>().not.toExtend<Parameters<FileStore['read']>>();
    expectTypeOf<[range: SeriesRange]>().not.toExtend<Parameters<SlotTable['read']>>();
  });
});
