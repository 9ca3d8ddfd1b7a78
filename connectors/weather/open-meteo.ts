/**
 * Open-Meteo: hourly temperature and irradiance of the past days and the next, without registration.
 * Source of the shape: https://open-meteo.com/en/docs (`/v1/forecast`, timeformat=unixtime).
 */
import { z } from 'zod';
import { InvalidDataError, NotAllowedError, UnavailableError } from '../../engine/errors.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { HttpFetch, WeatherHour, WeatherProvider } from '../../engine/ports.ts';

const NAME = 'open-meteo';
const TIMEOUT_MS = 20_000;
const values = z.array(z.number().nullable());
const Body = z.object({
  hourly: z.object({ time: z.array(z.number().int()), temperature_2m: values, shortwave_radiation: values }),
});

export function createOpenMeteo(options: {
  base_url?: string;
  timeout_ms?: number;
  now: () => number;
  /** The box's way out; the global one where left out. */
  fetch?: HttpFetch;
}): WeatherProvider {
  const base = options.base_url ?? 'https://api.open-meteo.com';
  return {
    name: NAME,
    async fetch({ latitude, longitude, from_ms, to_ms, signal }) {
      const query = new URLSearchParams({
        latitude: latitude.toFixed(3),
        longitude: longitude.toFixed(3),
        hourly: 'temperature_2m,shortwave_radiation',
        start_date: dateOf(from_ms),
        // irradiance of the last hour stands at its end
        end_date: dateOf(to_ms + HOUR_MS),
        timeformat: 'unixtime',
        timezone: 'GMT',
      });
      const deadline = AbortSignal.timeout(options.timeout_ms ?? TIMEOUT_MS);
      const ask = options.fetch ?? fetch;
      const text = await get(ask, `${base}/v1/forecast?${query}`, AbortSignal.any([signal, deadline]));
      return hoursOf(decode(text), from_ms, to_ms, options.now());
    },
  };
}

async function get(ask: HttpFetch, url: string, signal: AbortSignal): Promise<string> {
  try {
    const response = await ask(url, { signal, headers: { 'user-agent': 'luna-iems' } });
    const text = await response.text();
    if (response.ok) return text;
    const words = response.status === 429 ? 'limits our requests' : 'does not give weather';
    throw new UnavailableError(`${NAME} ${words} (HTTP ${response.status}).`, 'The box tries again by itself.');
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    if (error instanceof NotAllowedError) throw new UnavailableError(error.message, error.remedy, { cause: error });
    const { message, cause } = error as Error & { cause?: Error & { code?: string } };
    const reason = signal.aborted ? 'it took too long' : (cause?.code ?? message);
    throw new UnavailableError(`${NAME} does not answer: ${reason}.`, 'The box tries again by itself.', {
      cause: error,
    });
  }
}

function decode(text: string): z.infer<typeof Body> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new InvalidDataError(`${NAME} answers with something that is no JSON: \`${text.slice(0, 60).trim()}\``);
  }
  const parsed = Body.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InvalidDataError(`${NAME} answers in another shape: ${issue?.path.join('.')}: ${issue?.message}.`);
}

/** Temperature is of the instant; irradiance is the mean of the hour that ends there, so it moves an hour back. */
function hoursOf({ hourly }: z.infer<typeof Body>, from_ms: number, to_ms: number, now_ms: number): WeatherHour[] {
  const { time, temperature_2m, shortwave_radiation } = hourly;
  const irradiance = new Map(time.map((second, i) => [second * 1000 - HOUR_MS, shortwave_radiation[i] ?? null]));
  return time
    .map((second, i) => ({
      at_ms: second * 1000,
      temperature_C: temperature_2m[i] ?? null,
      irradiance_W_m2: irradiance.get(second * 1000) ?? null,
      forecast: second * 1000 > now_ms,
    }))
    .filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms);
}

function dateOf(at_ms: number): string {
  return new Date(at_ms).toISOString().slice(0, 10);
}
