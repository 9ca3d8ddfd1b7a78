/** German texts; each part is complete by its type. */
import { accountTexts } from './de/account.ts';
import { addMeterTexts } from './de/add-meter.ts';
import { adminTexts } from './de/admin.ts';
import { adviceTexts } from './de/advice.ts';
import { alertTexts } from './de/alerts.ts';
import { askTexts } from './de/ask.ts';
import { chartTexts } from './de/chart.ts';
import { commonTexts } from './de/common.ts';
import { entryTexts } from './de/entry.ts';
import { forecastTexts } from './de/forecasts.ts';
import { importTexts } from './de/import.ts';
import { meterTexts } from './de/meters.ts';
import { notificationTexts } from './de/notifications.ts';
import { nowTexts } from './de/now.ts';
import { planTexts } from './de/plan.ts';
import { planSetupTexts } from './de/plan-setup.ts';
import { priceTexts } from './de/prices.ts';

import { regulationTexts } from './de/regulation.ts';
import { repairTexts } from './de/repair.ts';
import { savingsTexts } from './de/savings.ts';
import { searchTexts } from './de/search.ts';
import { storeTexts } from './de/store.ts';
import { tariffTexts } from './de/tariff.ts';

export const de = {
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
