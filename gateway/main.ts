/** The program: `luna run` is the box, everything else is a command to it. */
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { Command as Program } from 'commander';
import { parse as parseYaml } from 'yaml';
import { type ConfigError, InvalidDataError } from '../engine/errors.ts';
import { type Config, loadConfig } from './config.ts';
import { type CommandResult, sendCommand } from './control.ts';
import { withPassword } from './password-input.ts';

// Halves the time that a later start spends on reading the program; threads and the demo's process use it too.
const { directory } = enableCompileCache(join(import.meta.dirname, '../.cache/compile'));
if (directory) process.env.NODE_COMPILE_CACHE ??= directory;

const program = new Program('luna')
  .description('Luna iEMS: the energy management box')
  .showHelpAfterError()
  .enablePositionalOptions();
program
  .command('run')
  .description('start the box')
  .action(() => guarded(async () => (await import('./run.ts')).runBox(loadConfig(process.env))));

program
  .command('prepare <folder>')
  .description('make what the containers of the appliance need: secrets and folders (compose/compose.yaml runs it)')
  .action((folder: string) =>
    guarded(async () => {
      const { made, kept } = await (await import('./prepare.ts')).prepareAppliance(folder);
      process.stdout.write(`${made.length} secrets made, ${kept.length} kept\n`);
    }),
  );

const key = program.command('key').description('API keys');
command(key.command('create'), 'key create', 'make an API key')
  .option('--role <role>', 'admin, analyst or user', 'user')
  .option('--name <name>');

const device = program.command('device').description('devices');
command(device.command('create <id>'), 'device create', 'make a device and its credential', ['id'])
  .option('--profile <name>', 'a folder of firmware-profiles/')
  .option('--name <name>')
  .option('--connection <yaml>', 'e.g. "{kind: modbus-tcp, host: 192.168.1.20, port: 502, unit: 1, poll_s: 5}"');

const user = program.command('user').description('people');
command(user.command('add <login>'), 'user add', 'add a person', ['login'])
  .option('--role <role>', 'admin, analyst or user', 'user')
  .option('--name <name>')
  .option('--password <password>', 'left out: one is made and shown')
  .option('--password-stdin', 'read the password from standard input, where no list of processes shows it');
command(user.command('reset-password <login>'), 'user reset-password', 'give a person a new password', ['login'])
  .option('--password <password>', 'left out: one is made and shown')
  .option('--password-stdin', 'read the password from standard input, where no list of processes shows it');

command(
  user.command('reset-second-factor <login>'),
  'user reset-second-factor',
  'remove the second factor of somebody who lost phone and recovery codes',
  ['login'],
);

command(program.command('import <file>'), 'import', 'load readings from a CSV or JSON-lines file', ['file']).option(
  '--mapping <yaml>',
  'columns, where they are not at,meter,<quantity>…',
);
const audit = program.command('audit').description('audit log');
command(
  audit.command('verify'),
  'audit verify',
  'find the first entry that is not as it was written (all organisations, or that of --tenant)',
  [],
  null,
);
command(
  audit.command('accept-key'),
  'audit accept-key',
  'accept, after a restore without keys, that older entries were signed by a key that is lost',
  [],
  null,
);
const dead = program.command('dead-letters').description('readings that the series store refused');
command(
  dead.command('list'),
  'dead-letters list',
  'what was put aside and why (all organisations, or --tenant)',
  [],
  null,
);
command(
  dead.command('retry [id]'),
  'dead-letters retry',
  'take it in again, one or all (all organisations, or --tenant)',
  ['id'],
  null,
);
const clock = program.command('clock').description('the clock of the box, and readings that wait for their time');
command(clock.command('state', { isDefault: true }), 'clock', 'whether it is trusted, and what waits');
command(clock.command('believe'), 'clock believe', 'say that the clock is right');
command(clock.command('release <boot> <first>'), 'clock release', 'let readings of an earlier start through', [
  'boot',
  'first',
]);
command(clock.command('discard <boot>'), 'clock discard', 'throw readings of an earlier start away', ['boot']);
command(program.command('backup'), 'backup', 'make a backup now').option(
  '--new-folder',
  'begin anew in the backup folder, though the backups the box remembers there are gone',
);
program
  .command('restore <from>')
  .description('bring a backup (or the newest of a folder of backups) into an empty LUNA_HOME')
  .option('--check', 'only look whether it is whole')
  .option('--until <time>', 'no further than this instant, e.g. 2026-03-01T12:00Z')
  .option('--no-log', 'only the backup itself, without what was copied since')
  .option('--passphrase-file <file>', 'opens the keys; left out: LUNA_BACKUP_PASSPHRASE_FILE')
  .option('--no-keys', 'leave the keys sealed, or restore a backup that was made without a passphrase')
  .option('--force-aside', 'move what is in the home aside')
  .option('--json', 'print one JSON object')
  .action((from: string, options: Record<string, unknown>) =>
    guarded(async () => {
      const { restore } = await import('./backup/commands.ts');
      const say = (line: string) => process.stderr.write(`${line}\n`);
      const result = await restore(loadConfig(process.env), { from, ...options }, say);
      process.stdout.write(`${options.json ? JSON.stringify(result.json) : result.text}\n`);
    }, options.json === true),
  );
program
  .command('move')
  .description(
    'copy everything of the stopped box into other stores, compared by counts and digests; run again it goes on',
  )
  .option('--to <series>', 'questdb://host:9000?pg=8812, or duckdb')
  .option('--postgres <url>', 'postgres://… of the unprivileged role, or embedded')
  .option('--postgres-owner <url>', 'postgres://… of the owner of that database')
  .option('--files <store>', 's3://KEY:SECRET@host:9000/bucket, or folder')
  .option('--json', 'print one JSON object')
  .action(({ json, ...options }: Record<string, string> & { json?: boolean }) =>
    guarded(async () => {
      const { moveBox } = await import('./move.ts');
      const result = await moveBox(loadConfig(process.env), options, (line) => process.stderr.write(`${line}\n`));
      process.stdout.write(`${json ? JSON.stringify(result.json) : result.text}\n`);
    }, json === true),
  );
command(program.command('doctor'), 'doctor', 'say what is well and what is not');
command(
  program.command('support <file>'),
  'support',
  'write what somebody who helps needs to see into a file: health, metrics, settings, no secret',
  ['file'],
);
const training = program.command('train').description('forecasts and their models');
command(training.command('forecasts', { isDefault: true }), 'train', 'make forecasts now').option(
  '--series <name>',
  'load, generation or price',
);
command(training.command('models'), 'train models', 'train all forecast models now, then judge them')
  .option('--series <name>', 'load, generation or price')
  .option('--networks', 'random forests and networks as well, which takes minutes');
const model = program.command('model').description('forecast models that are live or compete');
command(model.command('list'), 'model list', 'which are live and which compete, with their errors');
command(
  model.command('promote <series> <horizon> [run]'),
  'model promote',
  'put one in place by hand; without a run the best challenger',
  ['series', 'horizon', 'run'],
);
command(model.command('roll-back <series> <horizon>'), 'model roll-back', 'back to the model that was live before', [
  'series',
  'horizon',
]);
const feature = program.command('features').description('what forecast models see');
command(feature.command('build'), 'features build', 'build the feature table of each hour anew')
  .option('--series <name>', 'load, generation or price')
  .option('--days <days>', 'how far back', '400');
const evaluation = program.command('eval').description('how good forecasts, the search in documents and answers are');
command(evaluation.command('forecasts', { isDefault: true }), 'eval', 'forecast error against "same as last week"');
command(evaluation.command('retrieval'), 'eval retrieval', 'ask the golden sets and keep how many found their section')
  .option('--set <name>', 'one of them; left out: all')
  .option('--file <file>', 'JSON lines of question, document, section: saved as a set first');
command(
  evaluation.command('answers'),
  'eval answers',
  'ask the question set, verify every sentence and keep the shares',
);
command(program.command('index'), 'index', 'build the passage index anew');
const tariff = program.command('tariff').description('what the site pays');
command(tariff.command('show'), 'tariff show', 'print the versions of the tariff');
command(tariff.command('save <valid_from> <file>'), 'tariff save', 'add a version that holds from a day on', [
  'valid_from',
  'file',
]);
tariff
  .command('check <file>')
  .description('say what is wrong with a tariff file, by line; exit status 0: nothing, 1: something to mend')
  .option('--json', 'print one JSON object')
  .action((file: string, { json }: { json?: boolean }) => guarded(() => checkTariff(file, json), json));
command(
  program.command('simulate <from> [to]'),
  'simulate',
  'a battery in past months (2026-01 to 2026-06) by simple rules, plans and perfect foresight',
  ['from', 'to'],
)
  .requiredOption('--capacity <kWh>', 'of the battery')
  .requiredOption('--power <kW>', 'most charging and discharging power')
  .option('--efficiency <share>', 'each way, 0.95 where left out')
  .option('--tariff <id>', "an example's id in place of the site's tariff");
command(program.command('bill <month>'), 'bill', 'print the bill of a month, such as 2026-04', ['month']).option(
  '--csv',
  'as a CSV table',
);
const profile = program.command('profile').description('device profiles');
profile
  .command('test <dir>')
  .description('say what is wrong with a profile; exit status 0: nothing, 1: something to mend, 2: no profile there')
  .option('--json', 'print one JSON object')
  .action((dir: string, { json }: { json?: boolean }) => guarded(() => testProfileFolder(dir, json), json));
const demo = program.command('demo').description('the demo site');
command(demo.command('start'), 'demo start', 'start the demo site');
command(demo.command('stop'), 'demo stop', 'remove the demo site without trace');

await program.parseAsync();

/** A command with --json and --tenant whose positional arguments are named in `names`. */
function command(
  target: Program,
  name: string,
  description: string,
  names: readonly string[] = [],
  tenant: string | null = 'default',
): Program {
  return target
    .description(description)
    .option('--json', 'print one JSON object')
    .option('--tenant <id>', 'the organisation', tenant ?? undefined)
    .action((...given: unknown[]) => {
      const { json, ...options } = given[names.length] as Record<string, unknown> & { json?: boolean };
      const args = { ...options, ...Object.fromEntries(names.map((key, i) => [key, given[i]])) };
      return guarded(async () => {
        const config = loadConfig(process.env);
        const result = await execute(config, name, await withPassword(prepared(args), process.stdin));
        process.stdout.write(`${json ? JSON.stringify(result.json) : result.text}\n`);
        if (result.failed) process.exitCode = 1;
      }, json);
    });
}

/** Needs no box, no configuration and no device. */
async function testProfileFolder(folder: string, json = false): Promise<void> {
  const { testProfile } = await import('./profile-test.ts');
  const result = await testProfile(folder);
  process.stdout.write(`${json ? JSON.stringify(result.json) : result.text}\n`);
  process.exitCode = result.exit;
}

/** Needs no box and no configuration. */
async function checkTariff(file: string, json = false): Promise<void> {
  const { checkTariffFile } = await import('./tariff-commands.ts');
  const result = await checkTariffFile(file);
  process.stdout.write(`${json ? JSON.stringify(result.json) : result.text}\n`);
  process.exitCode = result.exit;
}

function prepared(args: Record<string, unknown>): Record<string, unknown> {
  for (const key of ['connection', 'mapping']) if (typeof args[key] === 'string') args[key] = parseYaml(args[key]);
  if (typeof args.file === 'string') args.file = resolve(process.cwd(), args.file);
  return args;
}

/** Through the running box, or in one that is opened for this command only (and only then loaded). */
async function execute(config: Config, name: string, args: Record<string, unknown>): Promise<CommandResult> {
  const answer = await sendCommand(config.home, { name, args });
  return answer ?? (await import('./run.ts')).runOnce(config, { name, args });
}

/** Errors become one sentence and exit status 1; a fault of ours keeps its stack. */
async function guarded(work: () => Promise<unknown>, json = false): Promise<void> {
  try {
    await work();
  } catch (error) {
    const known = error instanceof Error && 'remedy' in error;
    const { message, remedy } = error as ConfigError;
    const faults = error instanceof InvalidDataError ? error.faults : [];
    const sentence = known ? [message, remedy].filter(Boolean).join(' ') : String((error as Error).stack ?? error);
    process.stderr.write(json ? `${JSON.stringify({ error: sentence, faults })}\n` : `luna: ${sentence}\n`);
    process.exitCode = 1;
  }
}
