/** Market areas the box knows, with what providers need to name them. */

export type PriceArea = {
  /** As in the site's energy price and in every stored price. */
  area: string;
  name: string;
  /** The zone whose days the market trades: day-ahead prices come for one day of it. */
  time_zone: string;
  currency: string;
  /** Energy Identification Code of the bidding zone, for ENTSO-E. */
  eic?: string;
  /** Hour and minute of local time from which tomorrow's prices may be there. */
  published: readonly [hour: number, minute: number];
};

/** The single day-ahead coupling trades days of Central European Time everywhere and publishes from 12:45. */
const coupled = (area: string, name: string, eic: string): PriceArea => ({
  area,
  name,
  time_zone: 'Europe/Berlin',
  currency: 'EUR',
  eic,
  published: [12, 45],
});
/** Distribution regions of Great Britain by their letter (Octopus Agile, published about 16:00). */
const region = (area: string, name: string): PriceArea => ({
  area,
  name: `GB ${name}`,
  time_zone: 'Europe/London',
  currency: 'GBP',
  published: [16, 0],
});
/** ERCOT settlement points; day-ahead results come by 13:30 Central Prevailing Time. */
const point = (area: string, name: string): PriceArea => ({
  area,
  name: `ERCOT ${name}`,
  time_zone: 'America/Chicago',
  currency: 'USD',
  published: [12, 30],
});

/** Bidding zones as Energy-Charts names them (api.energy-charts.info, `/price`, parameter bzn). */
const BIDDING_ZONES: readonly PriceArea[] = [
  coupled('DE-LU', 'Germany, Luxembourg', '10Y1001A1001A82H'),
  coupled('AT', 'Austria', '10YAT-APG------L'),
  coupled('BE', 'Belgium', '10YBE----------2'),
  coupled('BG', 'Bulgaria', '10YCA-BULGARIA-R'),
  coupled('CH', 'Switzerland', '10YCH-SWISSGRIDZ'),
  coupled('CZ', 'Czech Republic', '10YCZ-CEPS-----N'),
  coupled('DE-AT-LU', 'Germany, Austria, Luxembourg (until 2018)', '10Y1001A1001A63L'),
  coupled('DK1', 'Denmark 1', '10YDK-1--------W'),
  coupled('DK2', 'Denmark 2', '10YDK-2--------M'),
  coupled('EE', 'Estonia', '10Y1001A1001A39I'),
  coupled('ES', 'Spain', '10YES-REE------0'),
  coupled('FI', 'Finland', '10YFI-1--------U'),
  coupled('FR', 'France', '10YFR-RTE------C'),
  coupled('GR', 'Greece', '10YGR-HTSO-----Y'),
  coupled('HR', 'Croatia', '10YHR-HEP------M'),
  coupled('HU', 'Hungary', '10YHU-MAVIR----U'),
  coupled('IT-Calabria', 'Italy Calabria', '10Y1001C--00096J'),
  coupled('IT-Centre-North', 'Italy Centre North', '10Y1001A1001A70O'),
  coupled('IT-Centre-South', 'Italy Centre South', '10Y1001A1001A71M'),
  coupled('IT-North', 'Italy North', '10Y1001A1001A73I'),
  coupled('IT-SACOAC', 'Italy Sardinia Corsica AC', '10Y1001A1001A885'),
  coupled('IT-SACODC', 'Italy Sardinia Corsica DC', '10Y1001A1001A893'),
  coupled('IT-Sardinia', 'Italy Sardinia', '10Y1001A1001A74G'),
  coupled('IT-Sicily', 'Italy Sicily', '10Y1001A1001A75E'),
  coupled('IT-South', 'Italy South', '10Y1001A1001A788'),
  coupled('LT', 'Lithuania', '10YLT-1001A0008Q'),
  coupled('LV', 'Latvia', '10YLV-1001A00074'),
  coupled('ME', 'Montenegro', '10YCS-CG-TSO---S'),
  coupled('NL', 'Netherlands', '10YNL----------L'),
  coupled('NO1', 'Norway 1', '10YNO-1--------2'),
  coupled('NO2', 'Norway 2', '10YNO-2--------T'),
  coupled('NO2NSL', 'Norway 2, North Sea Link', '50Y0JVU59B4JWQCU'),
  coupled('NO3', 'Norway 3', '10YNO-3--------J'),
  coupled('NO4', 'Norway 4', '10YNO-4--------9'),
  coupled('NO5', 'Norway 5', '10Y1001A1001A48H'),
  coupled('PL', 'Poland', '10YPL-AREA-----S'),
  coupled('PT', 'Portugal', '10YPT-REN------W'),
  coupled('RO', 'Romania', '10YRO-TEL------P'),
  coupled('RS', 'Serbia', '10YCS-SERBIATSOV'),
  coupled('SE1', 'Sweden 1', '10Y1001A1001A44P'),
  coupled('SE2', 'Sweden 2', '10Y1001A1001A45N'),
  coupled('SE3', 'Sweden 3', '10Y1001A1001A46L'),
  coupled('SE4', 'Sweden 4', '10Y1001A1001A47J'),
  coupled('SI', 'Slovenia', '10YSI-ELES-----O'),
  coupled('SK', 'Slovakia', '10YSK-SEPS-----K'),
];

const GB_REGIONS: readonly PriceArea[] = [
  region('A', 'Eastern England'),
  region('B', 'East Midlands'),
  region('C', 'London'),
  region('D', 'Merseyside and Northern Wales'),
  region('E', 'West Midlands'),
  region('F', 'North Eastern England'),
  region('G', 'North Western England'),
  region('H', 'Southern England'),
  region('J', 'South Eastern England'),
  region('K', 'Southern Wales'),
  region('L', 'South Western England'),
  region('M', 'Yorkshire'),
  region('N', 'Southern Scotland'),
  region('P', 'Northern Scotland'),
];

const ERCOT_POINTS: readonly PriceArea[] = [
  point('HB_HOUSTON', 'Houston hub'),
  point('HB_NORTH', 'North hub'),
  point('HB_SOUTH', 'South hub'),
  point('HB_WEST', 'West hub'),
  point('HB_PAN', 'Panhandle hub'),
  point('HB_BUSAVG', 'bus average'),
  point('HB_HUBAVG', 'hub average'),
  point('LZ_AEN', 'Austin Energy load zone'),
  point('LZ_CPS', 'CPS load zone'),
  point('LZ_HOUSTON', 'Houston load zone'),
  point('LZ_LCRA', 'LCRA load zone'),
  point('LZ_NORTH', 'North load zone'),
  point('LZ_RAYBN', 'Rayburn load zone'),
  point('LZ_SOUTH', 'South load zone'),
  point('LZ_WEST', 'West load zone'),
];

/** What one's own Tibber contract costs: an area of its own, as its prices hold taxes and VAT. */
const TIBBER: PriceArea = {
  area: 'TIBBER',
  name: 'Tibber contract',
  time_zone: 'Europe/Berlin',
  currency: 'EUR',
  published: [12, 45],
};

export const PRICE_AREAS: readonly PriceArea[] = [...BIDDING_ZONES, ...GB_REGIONS, ...ERCOT_POINTS, TIBBER];
const BY_AREA: ReadonlyMap<string, PriceArea> = new Map(PRICE_AREAS.map((one) => [one.area, one]));
const ZONES: ReadonlySet<string> = new Set(BIDDING_ZONES.map(({ area }) => area));

/** @returns the area, or undefined where the box does not know it (then only CSV files serve it). */
export function priceArea(area: string): PriceArea | undefined {
  return BY_AREA.get(area);
}

export function isBiddingZone(area: string): boolean {
  return ZONES.has(area);
}

export function isRegion(area: string): boolean {
  return area.length === 1 && BY_AREA.has(area);
}

/** ERCOT has some 900 settlement points: every well-formed name may be asked for. */
export function isSettlementPoint(area: string): boolean {
  return /^(HB|LZ|DC)_[A-Z0-9_]{1,20}$/.test(area);
}
