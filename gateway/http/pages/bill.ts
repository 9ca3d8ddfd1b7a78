/** `/bill?month=2026-04`: the bill of a month; `/bill/line`: the slots behind one of its lines. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { addMonths, localDate } from '../../../engine/model/time.ts';
import type { Bill } from '../../../engine/tariff/bill.ts';
import { decimalsOf } from '../../../engine/tariff/money.ts';
import { type BillView, billPage } from '../../../web/pages/bill.ts';
import { billLinePage } from '../../../web/pages/bill-line.ts';
import type { Ui } from '../../../web/ui.ts';
import { monthStart } from '../../services/bills.ts';
import { sentence } from './form.ts';
import { createPageApp, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

export function createBillPages(deps: PageDeps) {
  const { bills } = deps.services;
  const app = createPageApp();
  app.get('/bill', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    const month = c.req.query('month') ?? monthOf(addMonths(ui.now_ms, -1, ui.time_zone), ui);
    const month_ms = monthStart(month, ui.time_zone);
    let bill: Bill | null = null;
    let problem: string | null = null;
    try {
      bill = await bills.month(readerOf(c).tenant, month);
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      problem = sentence(error);
    }
    return sendPage(c, billPage(viewOf(month, month_ms, bill, problem, ui), ui));
  });
  app.get('/bill/line', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    const month = c.req.query('month') ?? '';
    const month_ms = monthStart(month, ui.time_zone);
    const bill = await bills.month(readerOf(c).tenant, month);
    const line = bill.lines.find(({ id }) => id === c.req.query('line'));
    if (!line) throw new NotFoundError(`The bill of ${month} has no such line.`);
    return sendPage(c, billLinePage({ month, month_ms, decimals: decimalsOf(bill.currency), bill, line }, ui));
  });
  return app;
}

function viewOf(month: string, month_ms: number, bill: Bill | null, problem: string | null, ui: Ui): BillView {
  const next_ms = addMonths(month_ms, 1, ui.time_zone);
  return {
    ...{ month, month_ms, bill, problem, decimals: bill ? decimalsOf(bill.currency) : 2 },
    previous: monthOf(addMonths(month_ms, -1, ui.time_zone), ui),
    next: next_ms <= ui.now_ms ? monthOf(next_ms, ui) : null,
  };
}

function monthOf(at_ms: number, { time_zone }: Ui): string {
  return localDate(at_ms, time_zone).slice(0, 7);
}
