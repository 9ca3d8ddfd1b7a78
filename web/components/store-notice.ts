/** Tells on pages that the series store is away, that nothing is lost, and how much waits. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import { notice } from './parts.ts';

/** `away_since_ms` null: the store is there and catches up. */
export type StoreWaiting = {
  away_since_ms: number | null /** Null where the reader may not know it. */;
  waiting_readings: number | null;
  full_in_h: number | null;
};

/** @param store null where there is nothing to tell */
export function storeNotice(store: StoreWaiting | null | undefined, ui: Ui): Html | '' {
  if (!store) return '';
  const { t, format } = ui;
  const n = store.waiting_readings;
  const count = n === null ? '' : format.number(n);
  if (store.away_since_ms === null)
    return notice('warning', n === null ? t('store.catching_up_some') : t('store.catching_up', { count, n }));
  const since = format.when(store.away_since_ms, ui.now_ms);
  const away = n === null ? t('store.away_some', { since }) : t('store.away', { since, count, n });
  return notice('warning', html`${away} ${roomWords(store.full_in_h, ui)}`);
}

function roomWords(full_in_h: number | null, { t, format }: Ui): string {
  if (full_in_h === null) return '';
  const hours = Math.floor(full_in_h);
  return hours < 1 ? t('store.full_soon') : t('store.full_in', { hours: format.number(hours), n: hours });
}
