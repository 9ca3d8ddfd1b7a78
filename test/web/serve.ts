/** Serves the pages over the sample building to look at them: `node test/web/serve.ts [port] [variant]`. */

import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { openProfileCatalogue } from '../../gateway/services/profiles.ts';
import { createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';
import { POINTS, SAMPLE_NOW_MS, TENANT } from './sample-site.ts';
import { VARIANTS } from './sample-variants.ts';

const started = Date.now();
const variant = VARIANTS[process.argv[3] ?? ''];
const profiles = openProfileCatalogue(join(import.meta.dirname, '../../firmware-profiles'));
const services =
  variant?.() ?? createSampleServices({ now: () => SAMPLE_NOW_MS + Date.now() - started, replace: { profiles } });
setInterval(
  () => services.bus.publish({ type: 'readings', tenant: TENANT, meters: POINTS.map((point) => point.id) }),
  1000,
);
const server = serve(
  { fetch: createSampleApp(services).fetch, port: Number(process.argv[2] ?? 8090), hostname: '127.0.0.1' },
  (address) => console.log(`http://127.0.0.1:${address.port}/`),
);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
