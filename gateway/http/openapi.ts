/** The OpenAPI 3.1 document of everything that is mounted, made from the schemas that check the requests. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from './api.ts';

const TAGS: Record<string, string> = {
  Data: 'Readings, slots and totals.',
  Prices: 'Market prices and what a kWh costs the site.',
  Tariff: 'What the site pays, in versions, and the bill of a month.',
  Forecasts: 'Load, generation and price with their bands.',
  Plan: 'What the box would do with batteries, cars, heat pumps and loads, and why.',
  'Grid signals': 'Reductions under §14a EnWG, and what was drawn.',
  Savings: 'What months saved, and what a battery would have done in them.',
  evcc: 'Schedules in the shape of evcc’s optimizer.',
  Regulation: 'Documents and cited answers.',
  Advice: 'Recommendations, feedback and usage events.',
  Devices: 'Devices, profiles and credentials.',
  Site: 'The site and its meter points.',
  People: 'People, API keys and tokens.',
  Notifications: 'Over which channels who is told of alerts, and what came of it.',
  Operations: 'Health, metrics, jobs and audit.',
};

export type OpenApiDocument = ReturnType<OpenAPIHono<Env>['getOpenAPI31Document']>;

/** @param app the app with every API mounted. */
export function openApiDocument(app: OpenAPIHono<Env>, version: string): OpenApiDocument {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key (`luna_…`) or a token of `POST /api/v1/token`.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'luna_session',
    description: "The browser's session; unsafe methods also need the header `x-csrf-token`.",
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'device', {
    type: 'http',
    scheme: 'basic',
    description: "A device's user name and password, for its own meter points.",
  });
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Luna iEMS',
      version,
      license: { name: 'MIT' },
      description:
        'Times are ISO 8601 or epoch milliseconds. Energy is kWh, power W, prices per MWh in the named currency. A missing value is null. Errors are problem+json with a sentence that says what to do.',
    },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  });
}
