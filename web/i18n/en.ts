/** English texts, one part per group of pages. */
import { accountTexts } from './en/account.ts';
import { addMeterTexts } from './en/add-meter.ts';
import { adminTexts } from './en/admin.ts';
import { adviceTexts } from './en/advice.ts';
import { alertTexts } from './en/alerts.ts';
import { askTexts } from './en/ask.ts';
import { chartTexts } from './en/chart.ts';
import { commonTexts } from './en/common.ts';
import { entryTexts } from './en/entry.ts';
import { forecastTexts } from './en/forecasts.ts';
import { importTexts } from './en/import.ts';
import { meterTexts } from './en/meters.ts';
import { notificationTexts } from './en/notifications.ts';
import { nowTexts } from './en/now.ts';
import { planTexts } from './en/plan.ts';
import { planSetupTexts } from './en/plan-setup.ts';
import { priceTexts } from './en/prices.ts';

import { regulationTexts } from './en/regulation.ts';
import { repairTexts } from './en/repair.ts';
import { savingsTexts } from './en/savings.ts';
import { searchTexts } from './en/search.ts';
import { storeTexts } from './en/store.ts';
import { tariffTexts } from './en/tariff.ts';

export const en = {
  ...commonTexts,
  ...chartTexts,
  ...nowTexts,
  ...meterTexts,
  ...planTexts,
  ...planSetupTexts,
  ...savingsTexts,
  ...priceTexts,
  ...tariffTexts,
  ...forecastTexts,
  ...entryTexts,
  ...accountTexts,
  ...regulationTexts,
  ...repairTexts,
  ...adviceTexts,
  ...alertTexts,
  ...notificationTexts,
  ...askTexts,
  ...adminTexts,
  ...addMeterTexts,
  ...searchTexts,
  ...storeTexts,
  ...importTexts,
} as const;
