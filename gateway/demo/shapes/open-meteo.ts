/** `GET /v1/forecast` of api.open-meteo.com: irradiance is the mean of the hour before its time. */
import type { Sky } from '../sky.ts';
import { type Answer, type Call, json } from './market-truth.ts';

const HOUR_MS = 3_600_000;

export const openMeteo =
  (skyAt: (at_ms: number) => Sky) =>
  ({ path, query }: Call): Answer => {
    if (path !== '/v1/forecast' || query.get('timeformat') !== 'unixtime')
      return json({ error: true, reason: 'unknown' }, 400);
    const start = Date.parse(`${query.get('start_date')}T00:00Z`);
    const end = Date.parse(`${query.get('end_date')}T23:00Z`);
    const time = [];
    for (let at_ms = start; at_ms <= end; at_ms += HOUR_MS) time.push(at_ms / 1000);
    const round = (value: number) => Math.round(value * 10) / 10;
    const before = (second: number) =>
      [50, 40, 30, 20, 10, 0].reduce(
        (sum, minute) => sum + skyAt(second * 1000 - minute * 60_000).irradiance_W_m2 / 6,
        0,
      );
    return json({
      latitude: Number(query.get('latitude')),
      longitude: Number(query.get('longitude')),
      utc_offset_seconds: 0,
      timezone: 'GMT',
      hourly_units: { time: 'unixtime', temperature_2m: '°C', shortwave_radiation: 'W/m²' },
      hourly: {
        time,
        temperature_2m: time.map((second) => round(skyAt(second * 1000).temperature_C)),
        shortwave_radiation: time.map((second) => round(before(second))),
      },
    });
  };
