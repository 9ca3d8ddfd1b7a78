import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../../engine/errors.ts';
import { parseTariff, readTariff } from '../../../engine/tariff/read.ts';
import { asSimplePrice, FOR_EVER, simpleTariffText } from '../../../engine/tariff/simple.ts';

const HEAD = 'name: T\ncurrency: EUR\ntime_zone: Europe/Berlin\nvat_percent: 19\n';
const faultsOf = (text: string) => readTariff(text, { region: (region) => region === 'DE' }).faults;
const said = (text: string) => faultsOf(text).map(({ where, problem }) => `${where}: ${problem}`);

describe('the text of a tariff', () => {
  it('reads weekdays, hours over midnight, and parts of the year over its end', () => {
    const { energy } = parseTariff(`${HEAD}holidays: DE
energy:
  - name: A
    periods:
      - { name: night, price_per_kWh: 1, when: { hours: "22:00-06:00", weekdays: [sat-mon, wed], holidays: as-sunday } }
      - { name: winter, price_per_kWh: 2, when: { dates: "10-01..03-31" } }
      - { name: half, price_per_kWh: 3, when: { months: [2, 6], hours: ["06:00-08:00", "18:00-24:00"] } }
      - { name: else, price_per_kWh: 4 }
`);
    const [charge] = energy;
    expect(charge).toMatchObject({ vat_percent: 19, meter: null });
    expect(charge?.price).toMatchObject({
      periods: [
        {
          when: {
            hours: [
              { from_min: 0, to_min: 360 },
              { from_min: 1320, to_min: 1440 },
            ],
            weekdays: [6, 7, 1, 3],
            holidays: 'as-sunday',
          },
        },
        { when: { dates: [{ from: '10-01', to: '03-31' }], weekdays: null } },
        { when: { dates: [{ from: '02-01' }, { from: '06-01' }], hours: [{ from_min: 360 }, { to_min: 1440 }] } },
        { when: null },
      ],
    });
  });

  it.each<[string, string, string[]]>([
    [
      'no YAML',
      `${HEAD}energy: [`,
      [
        'line 5: this is no valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      ],
    ],
    ['a mistyped key', `${HEAD}enrgy: []`, ['line 5: there is no key "enrgy" here']],
    ['nothing', '', ['line 1: the tariff is null']],
    ['no price', `${HEAD}energy:\n  - name: A`, ['line 6: energy[1] has no price']],
    [
      'two prices',
      `${HEAD}energy:\n  - name: A\n    price_per_kWh: 1\n    market: { area: DE-LU }`,
      ['line 8: energy[1] has both price_per_kWh and market'],
    ],
    [
      'a text as price',
      `${HEAD}energy:\n  - { name: A, price_per_kWh: 12 ct }`,
      ['line 6: energy[1].price_per_kWh is "12 ct"'],
    ],
    [
      'a price that is no number',
      `${HEAD}energy:\n  - { name: A, price_per_kWh: .nan }`,
      ['line 6: energy[1].price_per_kWh is null'],
    ],
    [
      'a last period with a condition, and one that hides the rest',
      `${HEAD}energy:\n  - name: A\n    periods:\n      - { name: x, price_per_kWh: 1 }\n      - { name: y, price_per_kWh: 1, when: { hours: "06:00-22:00" } }`,
      [
        'line 8: this period always holds, so that those below never do',
        'line 9: no period is left for the other times',
      ],
    ],
    [
      'hours, days and dates that are none',
      `${HEAD}limits:\n  - name: A\n    import_kW: 3\n    when:\n      hours: 6-22\n      weekdays: [mo]\n      dates: "02-30..03-31"`,
      [
        'line 10: "mo" is no weekday',
        'line 9: "6-22" is no part of the day',
        'line 11: "02-30..03-31" is no part of the year',
      ],
    ],
    [
      'steps out of order, and none for the rest',
      `${HEAD}demand:\n  - name: A\n    per: month\n    steps:\n      - { up_to_kW: 5, amount: 1 }\n      - { up_to_kW: 2, amount: 2 }`,
      ['line 10: nothing is said of more than 2 kW'],
    ],
    [
      'holidays of nobody',
      `${HEAD}limits:\n  - { name: A, import_kW: 3, when: { holidays: only } }`,
      ['line 1: a `when` asks for holidays, but nothing says whose'],
    ],
    ['holidays that are not known', `${HEAD}holidays: XX`, ['line 5: the holidays of "XX" are not known']],
    [
      'a zone and a currency that are none',
      HEAD.replace('EUR', 'EURO').replace('Europe/Berlin', '+01:00'),
      ['line 2: "EURO" is no currency', 'line 3: "+01:00" is no time zone'],
    ],
    [
      'a name twice',
      `${HEAD}standing:\n  - { name: A, per: day, amount: 1 }\n  - { name: A, per: day, amount: 1 }`,
      ['line 7: "A" is there twice'],
    ],
    ['a limit that limits nothing', `${HEAD}limits:\n  - name: A`, ['line 6: this limit limits nothing']],
    [
      'a quarter of the month',
      `${HEAD}demand:\n  - { name: A, per: week, price_per_kW: 1 }`,
      ['line 6: demand[1].per cannot be "week"'],
    ],
  ])('says of %s what is wrong and where', (_, text, expected) => {
    expect(said(text)).toEqual(expected);
    for (const { remedy } of faultsOf(text)) expect(remedy).toMatch(/\w/);
  });

  it('refuses a text that is too long, and one that would grow on reading', () => {
    expect(said('x'.repeat(200_001))).toEqual(['line 1: this is longer than 200000 characters']);
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghij'.split('').map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[i]}`)}]`),
    ];
    expect(() => readTariff(bomb.join('\n'))).not.toThrow();
    expect(readTariff(bomb.join('\n')).tariff).toBeNull();
  });

  it('throws all faults at once', () => {
    const text = `${HEAD}standing:\n  - { name: A, per: day }\n  - { name: B, per: year, amount: x }`;
    const error = (() => {
      try {
        parseTariff(text);
      } catch (thrown) {
        return thrown;
      }
      return null;
    })();
    expect(error).toBeInstanceOf(InvalidDataError);
    expect((error as InvalidDataError).message).toBe(
      'The tariff has faults: line 6: standing[1].amount is missing, and 1 more.',
    );
    expect((error as InvalidDataError).faults.map(({ where }) => where)).toEqual(['line 6', 'line 7']);
  });
});

describe('the tariff of a set-up', () => {
  const site = { currency: 'EUR', time_zone: 'Europe/Berlin' };
  it.each([
    { kind: 'fixed', per_kWh: 0.2345, vat_percent: 19 } as const,
    { kind: 'fixed', per_kWh: -1e-7, vat_percent: 0 } as const,
    { kind: 'day-ahead', area: 'NO1', factor: 1.05, fee_per_kWh: 0.118, vat_percent: 25 } as const,
  ])('%j comes back as it went in', (price) => {
    const tariff = parseTariff(simpleTariffText(price, site));
    expect(asSimplePrice([{ valid_from: FOR_EVER, tariff }])).toEqual(price);
    expect(asSimplePrice([{ valid_from: '2026-01-01', tariff }])).toBeNull();
  });
});

describe('the guide', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/tariffs.md'), 'utf8');
  const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
  it('shows only tariffs that can be read', () => {
    expect(blocks.length).toBeGreaterThan(3);
    for (const text of blocks) {
      const whole = text.startsWith('name:') || text.startsWith('#') ? text : `${HEAD}holidays: DE\n${text}`;
      expect(readTariff(whole).faults, text).toEqual([]);
    }
  });
  it('names every example of the repository', () => {
    for (const name of ['flat', 'de-commercial', 'de-dynamic-14a', 'de-14a-module-2', 'ercot-real-time', 'no-tiers'])
      expect(guide).toContain(`tariffs/${name}.yaml`);
  });
});
