import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { testProfile } from '../../gateway/profile-test.ts';

const PROFILES = join(import.meta.dirname, '../../firmware-profiles');
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A copy of a profile with `changes` made to its files: file → [what stands there, what stands there instead]. */
function changed(name: string, changes: Record<string, [from: string, to: string][]>): string {
  const root = mkdtempSync(join(tmpdir(), 'luna-profile-'));
  folders.push(root);
  const folder = join(root, name.replace('_', 'x-'));
  cpSync(join(PROFILES, name), folder, { recursive: true });
  for (const [file, pairs] of Object.entries(changes)) {
    let text = readFileSync(join(folder, file), 'utf8');
    for (const [from, to] of pairs) {
      expect(text, `${file} has ${from}`).toContain(from);
      text = text.replace(from, to);
    }
    writeFileSync(join(folder, file), text);
  }
  return folder;
}
const lineOf = (folder: string, text: string) =>
  readFileSync(join(folder, 'profile.yaml'), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;
const P = 'profile.yaml';

describe('luna profile test', () => {
  it('has nothing to say against the blueprint', async () => {
    const { text, exit } = await testProfile(changed('_blueprint', {}));
    expect(text).toContain('nothing to mend');
    expect(exit).toBe(0);
  });
  it.each([['/nowhere/at-all'], [tmpdir()]])('says that %s is no profile, with status 2', async (folder) => {
    const { text, exit } = await testProfile(folder);
    expect(text).toMatch(/no folder|no profile\.yaml/);
    expect(exit).toBe(2);
  });

  it.each<[what: string, from: string, to: string, says: string]>([
    [
      'a mistyped key',
      'scale: 0.1',
      'scal: 0.1',
      'there is no key "scal" in mqtt.topics[1].measurements[2]. Write "scale".',
    ],
    [
      'a mistyped quantity',
      'quantity: power_W',
      'quantity: powr_W',
      '"powr_W" is no quantity. Did you mean "power_W"?',
    ],
    ['a mistyped unit', 'unit: kW }', 'unit: kw }', '"kw" is no unit we know. Did you mean "kW"?'],
    [
      'a unit of another kind',
      'unit: kW }',
      'unit: kWh }',
      'kWh measures energy, but power_W is power. Write W, kW, MW, or',
    ],
    [
      'a text for a number',
      'scale: 0.1',
      'scale: "0,1"',
      'is "0,1". Write a number, with a point for decimals and without unit.',
    ],
    ['an unknown role', 'role: load', 'role: consumer', 'role cannot be "consumer". Possible are grid, generation'],
    ['a path that is none', '"phases[0].voltage"', '"phases[.voltage"', '"phases[.voltage" is no JSON path'],
    ['a topic that no message matches', '"{topic}/#"', '"{topic}/#/x"', 'no message can match the topic "{topic}/#/x"'],
    ['a placeholder that stands for nothing', '"{topic}/state"', '"{device}/state"', '{device} stands for nothing'],
    [
      'a channel without values',
      'water: { label',
      'spare: { label: Spare, role: load }\n  water: { label',
      'the channel "spare" has no value',
    ],
  ])('%s, with its line', async (_, from, to, says) => {
    const folder = changed('_blueprint', { [P]: [[from, to]] });
    const { text, exit } = await testProfile(folder);
    expect(text).toContain(says);
    expect(text).toContain(`profile.yaml line ${lineOf(folder, to.split('\n')[0]!)}:`);
    expect(exit).toBe(1);
  });

  it('a missing part, broken YAML, missing notes and defaults', async () => {
    const of = async (from: string, to: string) =>
      (await testProfile(changed('_blueprint', { [P]: [[from, to]] }))).text;
    expect(await of('vendor: Blueprint', '')).toContain('vendor is missing. Add it as a text.');
    expect(await of('transport: mqtt', 'transport: [mqtt')).toMatch(/line \d+: this is no valid YAML/);
    expect(await of('defaults: { topic: meters-of/hall-2 }', '')).toContain('the form has no topic to begin with');
    expect(await of('notes: In', 'notes: ""\n# In')).toContain('nothing tells people what to set on the device');
  });

  it.each<[what: string, from: string, to: string, says: string]>([
    [
      'registers that overlap',
      'at: 12, type',
      'at: 11, type',
      'power_l1_W (float32 in register 11 to 12) overlaps with current_l3_A',
    ],
    [
      'more than 125 registers',
      'max_registers: 80',
      'max_registers: 200',
      'Modbus gives at most 125 registers in one request.',
    ],
    ['an address beyond the last', 'at: 70, type', 'at: 65535, type', 'ends beyond register 65535'],
    [
      'a range that is never read',
      'max_gap: 36',
      'max_gap: 36\n  forbidden: [[70, 71]]',
      'lies in the forbidden range 70 to 71',
    ],
  ])('Modbus: %s', async (_, from, to, says) => {
    const { text, exit } = await testProfile(changed('eastron-sdm54', { [P]: [[from, to]] }));
    expect(text).toContain(says);
    expect(exit).toBe(1);
  });
  it('Modbus: the numbers of a manual are doubted', async () => {
    const registers = (base: number) =>
      `  registers:\n    - { quantity: power_W, at: ${base}, type: float32, unit: W }\n`;
    const folder = changed('eastron-sdm54', {});
    const yaml = readFileSync(join(folder, P), 'utf8').replace(/ {2}registers:[\s\S]*/, registers(30001));
    writeFileSync(join(folder, P), yaml);
    expect((await testProfile(folder)).text).toContain(
      'On the wire they count from 0: write 0 if the manual says 30001.',
    );
  });
});

describe('golden cases', () => {
  const E = 'testdata/example/expected.json';
  const I = 'testdata/example/input.json';
  it.each<[what: string, file: string, from: string, to: string, says: string]>([
    [
      'ten times too small',
      E,
      '"value": 12345',
      '"value": 123450',
      'power_W: expected 123450, got 12345. It is 10 times too small: look at "unit" and "scale".',
    ],
    ['the sign', E, '"value": 1.2,', '"value": -1.2,', 'The sign is the other way round'],
    [
      'another value',
      E,
      '"value": 230.2',
      '"value": 117',
      'Look at the address or path, the type, and the word order.',
    ],
    [
      'a value that does not come',
      E,
      '"quantity": "water_m3"',
      '"quantity": "gas_m3"',
      'water gas_m3: expected 98.765, got nothing',
    ],
    [
      'a value too many',
      E,
      '"quantity": "water_m3"',
      '"quantity": "gas_m3"',
      'water water_m3: got 98.765, but the case does not expect it',
    ],
    ['another time', E, '12:00:00.000Z" },', '12:00:01.000Z" },', 'Look at "time" in profile.yaml'],
    ['the firmware', E, '"firmware": "2.1.0"', '"firmware": null', 'firmware: expected null, got "2.1.0"'],
    [
      'a topic that no filter catches',
      I,
      '"topic": "meters-of/hall-2/state",',
      '"topic": "meters-of/hall-3/state",',
      'The nearest topic is "meters-of/hall-2/state".',
    ],
    ['no source', I, '"source": "made up for the guide"', '"source": ""', 'source: Too small'],
    ['no kind', I, '"kind": "synthetic"', '"kind": "guess"', 'kind: Invalid option'],
    ['broken JSON', I, '"kind"', 'kind', 'input.json cannot be read'],
  ])('%s', async (_, file, from, to, says) => {
    const { text, exit } = await testProfile(changed('_blueprint', { [file]: [[from, to]] }));
    expect(text).toContain(says);
    expect(exit).toBe(1);
  });
  it('a profile without cases, and one with made-up cases only', async () => {
    const folder = changed('_blueprint', {});
    expect((await testProfile(folder)).text).toContain(
      'not verified: no recorded or documented case shows power_W, import_kWh',
    );
    rmSync(join(folder, 'testdata'), { recursive: true });
    mkdirSync(join(folder, 'testdata'));
    expect((await testProfile(folder)).text).toContain('there is no golden case');
  });
  it('a recorded case counts only where it comes out right', async () => {
    const kind: [string, string][] = [['"kind": "synthetic"', '"kind": "recorded"']];
    expect((await testProfile(changed('_blueprint', { [I]: kind }))).text).toContain('verified: its main quantities');
    const wrong = await testProfile(changed('_blueprint', { [I]: kind, [E]: [['"value": 12345', '"value": 1']] }));
    expect(wrong.text).toContain('not verified');
  });
});

describe('doubts do not fail a profile', () => {
  it.each<[what: string, name: string, changes: Record<string, [string, string][]>, says: string]>([
    [
      'rated power',
      '_blueprint',
      { [P]: [['rated_power_W: 40000', 'rated_power_W: 4000']] },
      'far above the rated 4000 W',
    ],
    [
      'a load that only gives',
      '_blueprint',
      {
        [P]: [['path: power.total, unit: kW', 'path: power.total, unit: kW, sign: -1']],
        'testdata/example/expected.json': [['"value": 12345', '"value": -12345']],
      },
      'power_W is negative in every case',
    ],
    [
      'a voltage',
      '_blueprint',
      {
        [P]: [['scale: 0.1, invalid', 'scale: 0.001, invalid']],
        'testdata/example/expected.json': [['"value": 230.2', '"value": 2.302']],
      },
      'voltage_l1_V of 2.302 V is no voltage',
    ],
    [
      'a topic that no case sends',
      '_blueprint',
      {
        [P]: [
          [
            '  topics:\n',
            '  topics:\n    - { topic: "{topic}/sate", measurements: [{ quantity: current_A, path: i, unit: A }] }\n',
          ],
        ],
      },
      'no case sends "{topic}/sate"',
    ],
    [
      'a quantity that no case shows',
      '_blueprint',
      {
        [P]: [
          [
            'path: power.total, unit: kW }',
            'path: power.total, unit: kW }\n        - { quantity: current_A, path: i, unit: A }',
          ],
        ],
      },
      'no case shows current_A',
    ],
    [
      'phases that do not add up',
      'eastron-sdm54',
      {
        [P]: [
          [
            'quantity: power_l1_W, at: 12, type: float32, unit: W',
            'quantity: power_l1_W, at: 12, type: float32, unit: W, sign: -1',
          ],
        ],
        'testdata/drawing/expected.json': [['"power_l1_W", "value": 2400', '"power_l1_W", "value": -2400']],
        'testdata/feeding-in/expected.json': [['"power_l1_W", "value": -2410', '"power_l1_W", "value": 2410']],
      },
      'the phases add up to',
    ],
  ])('%s', async (_, name, changes, says) => {
    const { text, exit } = await testProfile(changed(name, changes));
    expect(text).toContain(says);
    expect(exit).toBe(0);
  });
});
