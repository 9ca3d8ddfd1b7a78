/** Weather of the demo site: sun, clouds and temperature as functions of time. */
import { HOUR_MS } from '../../engine/model/time.ts';
import { smooth, smooth01 } from './noise.ts';

export type Place = { latitude: number; longitude: number };
export type Sky = {
  /** Sine of the sun's height over the horizon; negative at night. */
  sun: number;
  /** 0 clear … 1 overcast. */
  cloud: number;
  temperature_C: number;
  /** Global horizontal irradiance. */
  irradiance_W_m2: number;
  /** On a plane tilted `tilt` to the south. */
  tilted_W_m2: number;
};

const DAY_MS = 24 * HOUR_MS;
const RAD = Math.PI / 180;
const TILT = 20;

/** Declination and hour angle by the usual approximations (Duffie & Beckman, Solar Engineering, ch. 1). */
export function skyAt(seed: number, place: Place, at_ms: number): Sky {
  const day_of_year = ((at_ms / DAY_MS) % 365.2425) + 1;
  const declination = 23.45 * RAD * Math.sin((2 * Math.PI * (day_of_year + 284)) / 365);
  const solar_hour = ((at_ms % DAY_MS) / HOUR_MS + place.longitude / 15 + 24) % 24;
  const angle = 15 * RAD * (solar_hour - 12);
  const towards = (latitude: number) =>
    Math.sin(latitude * RAD) * Math.sin(declination) +
    Math.cos(latitude * RAD) * Math.cos(declination) * Math.cos(angle);
  const sun = towards(place.latitude);
  const cloud = cloudAt(seed, at_ms);
  const clear = sun > 0 ? 1100 * sun ** 1.15 : 0;
  const through = 1 - 0.78 * cloud ** 1.6;
  const season = Math.cos((2 * Math.PI * (day_of_year - 20)) / 365);
  const day = Math.cos((2 * Math.PI * (solar_hour - 15)) / 24);
  return {
    sun,
    cloud,
    temperature_C: 11 - 9 * season + (3 + 2 * (1 - cloud)) * day + 4 * smooth(seed, 11, at_ms, 3 * DAY_MS),
    irradiance_W_m2: clear * through,
    // diffuse light does not care for the tilt
    tilted_W_m2: sun > 0 ? 1100 * Math.max(0, towards(place.latitude - TILT)) ** 1.15 * through : 0,
  };
}

/** Fronts of some days, and clouds of an hour or so within them. */
function cloudAt(seed: number, at_ms: number): number {
  const front = smooth01(seed, 12, at_ms, 1.7 * DAY_MS);
  const passing = smooth(seed, 13, at_ms, 1.3 * HOUR_MS) * 0.6 * Math.sin(Math.PI * front);
  return Math.min(1, Math.max(0, front * 1.25 - 0.15 + passing));
}
