/** Every API resource, mounted once: the same list serves requests, the OpenAPI document and the reference page. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Services } from '../services.ts';
import { createAdviceApi } from './api/advice.ts';
import { createAlertsApi } from './api/alerts.ts';
import { createAllowedHostsApi } from './api/allowed-hosts.ts';
import { createAnomaliesApi } from './api/anomalies.ts';
import { createAnswersApi } from './api/answers.ts';
import { createAskApi } from './api/ask.ts';
import { createAuditApi } from './api/audit.ts';
import { createBackupsApi } from './api/backups.ts';
import { createClockApi } from './api/clock.ts';
import { createCorrectionsApi } from './api/corrections.ts';
import { createDataApi } from './api/data.ts';
import { createDevicesApi } from './api/devices.ts';
import { createDocumentsApi } from './api/documents.ts';
import { createEvccApi } from './api/evcc.ts';
import { createForecastApi } from './api/forecast.ts';
import { createGridSignalsApi } from './api/grid-signals.ts';
import { createJobsApi } from './api/jobs.ts';
import { createKeysApi } from './api/keys.ts';
import { createMetersApi } from './api/meters.ts';
import { createModelsApi } from './api/models.ts';
import { createNotificationsApi } from './api/notifications.ts';
import { createPeopleApi } from './api/people.ts';
import { createPlanApi } from './api/plan.ts';
import { createPricesApi } from './api/prices.ts';
import { createProfilesApi } from './api/profiles.ts';
import { createQualityApi } from './api/quality.ts';
import { createReadingsApi } from './api/readings.ts';
import { createRecommendApi } from './api/recommend.ts';
import { createRetrievalApi } from './api/retrieval.ts';
import { createSavingsApi } from './api/savings.ts';
import { createSearchApi } from './api/search.ts';
import { createSiteApi } from './api/site.ts';
import { createTariffApi } from './api/tariff.ts';
import { createTokenApi } from './api/token.ts';
import { createWeatherApi } from './api/weather.ts';
import type { Env } from './api.ts';
import { createOperationsApi } from './operations.ts';

const RESOURCES: readonly ((services: Services) => OpenAPIHono<Env>)[] = [
  createReadingsApi,
  createDataApi,
  createCorrectionsApi,
  createQualityApi,
  createPricesApi,
  createTariffApi,
  createWeatherApi,
  createForecastApi,
  createModelsApi,
  createPlanApi,
  createGridSignalsApi,
  createEvccApi,
  createSavingsApi,
  createDocumentsApi,
  createAskApi,
  createRetrievalApi,
  createAnswersApi,
  createRecommendApi,
  createAdviceApi,
  createAlertsApi,
  createAnomaliesApi,
  createNotificationsApi,
  createDevicesApi,
  createSearchApi,
  createProfilesApi,
  createSiteApi,
  createMetersApi,
  createPeopleApi,
  createKeysApi,
  createTokenApi,
  createAuditApi,
  createJobsApi,
  createBackupsApi,
  createAllowedHostsApi,
  createClockApi,
  createOperationsApi,
];

/** Mounts the API on `app`. */
export function mountApi(app: OpenAPIHono<Env>, services: Services): void {
  for (const create of RESOURCES) app.route('/', create(services));
}
