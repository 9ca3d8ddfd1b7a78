/** `luna tariff` and `luna bill`: the tariff of a site and its bills on the command line. */
import { readFile } from 'node:fs/promises';
import { createPublicHolidays } from '../connectors/holidays/public.ts';
import { InvalidDataError, NotFoundError } from '../engine/errors.ts';
import type { Bill } from '../engine/tariff/bill.ts';
import { decimalsOf } from '../engine/tariff/money.ts';
import { parseTariff, readTariff } from '../engine/tariff/read.ts';
import type { CommandResult } from './control.ts';
import { billOut } from './http/api/bill-shapes.ts';
import { billCsv } from './services/bills/csv.ts';
import type { Actor, Services } from './services.ts';

/** Needs no box: what is wrong with a tariff file, by line. */
export async function checkTariffFile(file: string): Promise<CommandResult & { exit: number }> {
  const yaml = await readFile(file, 'utf8').catch(() => {
    throw new NotFoundError(`There is no file ${file}.`, 'Name a YAML file such as tariffs/flat.yaml.');
  });
  const { tariff, faults } = readTariff(yaml, createPublicHolidays());
  if (tariff) return { text: `${tariff.name}: no fault.`, json: { name: tariff.name, faults: [] }, exit: 0 };
  const lines = faults.map(
    ({ where, problem, remedy }) => `${file} ${where}: ${problem}.${remedy ? `\n  ${remedy}` : ''}`,
  );
  return { text: lines.join('\n'), json: { name: null, faults }, exit: 1 };
}

export async function showTariff({ tariffs }: Services, { tenant }: Actor): Promise<CommandResult> {
  const current = tariffs.current(tenant)?.valid_from;
  const versions = tariffs.versions(tenant).map(({ valid_from, tariff, yaml }) => ({
    ...{ valid_from, name: tariff.name, current: valid_from === current, yaml },
  }));
  const lines = versions.map(
    (one) => `# from ${one.valid_from}${one.current ? ' (holds now)' : ''}\n${one.yaml.trimEnd()}\n`,
  );
  return { text: lines.join('\n') || 'The site has no tariff.', json: { versions } };
}

export async function saveTariff(
  { tariffs }: Services,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  if (typeof args.file !== 'string' || typeof args.valid_from !== 'string')
    throw new InvalidDataError('The file or the day is missing.', './luna tariff save 2026-07-01 tariff.yaml');
  const yaml = await readFile(args.file, 'utf8').catch(() => {
    throw new NotFoundError(`There is no file ${String(args.file)}.`, 'Name a YAML file such as tariffs/flat.yaml.');
  });
  await tariffs.save(actor, args.valid_from, yaml);
  const { name } = parseTariff(yaml);
  return { text: `${name} holds from ${args.valid_from}.`, json: { valid_from: args.valid_from, name } };
}

export async function showBill({ bills }: Services, { tenant }: Actor, args: Record<string, unknown>) {
  const month = String(args.month ?? '');
  const bill = await bills.month(tenant, month);
  return { text: args.csv ? billCsv(bill).trimEnd() : billText(bill), json: billOut(bill, month) };
}

function billText(bill: Bill): string {
  const money = (value: number | null) =>
    (value === null ? 'not known' : value.toFixed(decimalsOf(bill.currency))).padStart(14);
  const row = (name: string, value: number | null) => `${name.padEnd(52)}${money(value)} ${bill.currency}`;
  const lines = bill.lines.map(({ kind, name, period, vat_percent, amount }) => {
    const billed = kind === 'demand_billed' ? ', billed until the month before' : '';
    return row(
      kind === 'vat' ? `VAT ${vat_percent} %` : `${[name, period].filter(Boolean).join(': ')}${billed}`,
      amount,
    );
  });
  const holes = [
    ...bill.unpriced.map(({ what, slots }) => `${what} is missing for ${slots} slots.`),
    ...bill.missing.map(({ what, slots }) => `${slots} slots have no reading (${what}); they are left out.`),
  ];
  const running = bill.until_ms < bill.to_ms ? ['The month is still running.'] : [];
  return [...lines, row('Total', bill.total), ...running, ...holes].join('\n');
}
