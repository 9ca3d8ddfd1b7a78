/**
 * What the command line can do, apart from `run`. The running box executes a command over its control socket;
 * where none runs, the same function runs in a box that was opened without listeners.
 */
import { basename } from 'node:path';
import { InvalidDataError, NotFoundError } from '../engine/errors.ts';
import type { Connection, Role } from '../engine/model/site.ts';
import { evaluateAnswers } from './answer-commands.ts';
import { backUp } from './backup/commands.ts';
import { discardHeld, releaseHeld, sayClockIsRight, showClock } from './clock-commands.ts';
import type { Command, CommandResult } from './control.ts';
import { listDeadLetters, retryDeadLetters } from './dead-letter-commands.ts';
import { listModels, promoteModel, rollBackModel } from './model-commands.ts';
import { evaluateRetrieval } from './retrieval-commands.ts';
import type { AuditState } from './services/audit-chain.ts';
import type { Actor, Person, Services } from './services.ts';
import { simulateMonths } from './simulate-commands.ts';
import { writeSupport } from './support.ts';
import { saveTariff, showBill, showTariff } from './tariff-commands.ts';

const DEFAULT_CONNECTION: Connection = { kind: 'mqtt', topic: null };

type Handler = (services: Services, actor: Actor, args: Record<string, unknown>) => Promise<CommandResult>;

const HANDLERS: Record<string, Handler> = {
  'key create': createKey,
  'device create': createDevice,
  'user add': addUser,
  'user reset-password': resetPassword,
  'user reset-second-factor': resetSecondFactor,
  import: importFile,
  'audit verify': verifyAudit,
  'audit accept-key': acceptAuditKey,
  backup: backUp,
  'dead-letters list': listDeadLetters,
  'dead-letters retry': retryDeadLetters,
  clock: showClock,
  'clock believe': sayClockIsRight,
  'clock release': releaseHeld,
  'clock discard': discardHeld,
  'tariff show': showTariff,
  'tariff save': saveTariff,
  bill: showBill,
  simulate: simulateMonths,
  doctor,
  support: writeSupport,
  train,
  'train models': trainModels,
  'model list': listModels,
  'model promote': promoteModel,
  'model roll-back': rollBackModel,
  'features build': buildFeatures,
  eval: evaluate,
  'eval retrieval': evaluateRetrieval,
  'eval answers': evaluateAnswers,
  index: reindex,
  'demo start': startDemo,
  'demo stop': stopDemo,
};

/** @throws NotFoundError for an unknown command, and whatever the services say. */
export async function runCommand(services: Services, command: Command): Promise<CommandResult> {
  const handler = HANDLERS[command.name];
  if (!handler) throw new NotFoundError(`There is no command "${command.name}".`, './luna --help lists them.');
  const tenant = text(command.args, 'tenant', 'default');
  if (!services.site.tenants().includes(tenant))
    throw new NotFoundError(`There is no organisation "${tenant}".`, `Known: ${services.site.tenants().join(', ')}.`);
  const actor: Actor = {
    tenant,
    person: 'command line',
    role: 'admin',
    language: 'en',
  };
  return handler(services, actor, command.args);
}

async function createKey({ access }: Services, actor: Actor, args: Record<string, unknown>): Promise<CommandResult> {
  const { id, key } = await access.createKey(actor, text(args, 'name', 'command line'), role(args));
  return { text: `${key}\n(${role(args)}; shown only now)`, json: { id, key, role: role(args) } };
}

async function createDevice(
  { devices }: Services,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const created = await devices.create(actor, {
    id: text(args, 'id'),
    name: args.name === undefined ? undefined : text(args, 'name'),
    profile: args.profile === undefined ? null : text(args, 'profile'),
    connection: (args.connection as Connection | undefined) ?? DEFAULT_CONNECTION,
  });
  const lines = [`device ${created.id} with meter point(s) ${created.meters.join(', ')}`];
  if (created.password) lines.push(`user name ${created.username}`, `password  ${created.password} (shown only now)`);
  if (created.topic) lines.push(`topic     ${created.topic}`);
  return { text: lines.join('\n'), json: { ...created } };
}

async function addUser({ access }: Services, actor: Actor, args: Record<string, unknown>): Promise<CommandResult> {
  const password = args.password === undefined ? newPassword() : text(args, 'password');
  const login = text(args, 'login');
  const person = await access.addPerson(actor, { login, name: text(args, 'name', login), role: role(args), password });
  const shown = args.password === undefined ? { password } : {};
  return {
    text: `${person.login} (${person.role}) added.${shown.password ? ` Password: ${password}` : ''}`,
    json: { id: person.id, login, role: person.role, ...shown },
  };
}

/** @throws NotFoundError */
async function personOf(access: Services['access'], { tenant }: Actor, login: string): Promise<Person> {
  const person = (await access.listPeople(tenant)).find((p) => p.login === login);
  if (!person) throw new NotFoundError(`Nobody has the login ${login}.`, './luna user add makes one.');
  return person;
}

async function resetPassword(
  { access }: Services,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const { id, login } = await personOf(access, actor, text(args, 'login'));
  const password = args.password === undefined ? newPassword() : text(args, 'password');
  await access.changePerson(actor, id, { password, disabled: false });
  // One that was given is known, and need not stand on a screen.
  if (args.password !== undefined) return { text: `${login} has the new password.`, json: { login } };
  return { text: `New password of ${login}: ${password}`, json: { login, password } };
}

async function resetSecondFactor(
  { access }: Services,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const { id, login } = await personOf(access, actor, text(args, 'login'));
  await access.second_factor.remove(actor, id);
  return { text: `${login} signs in with the password alone until a new second factor is set up.`, json: { login } };
}

async function importFile({ loads }: Services, actor: Actor, args: Record<string, unknown>): Promise<CommandResult> {
  const path = text(args, 'file');
  const mapping = args.mapping as Parameters<typeof loads.load>[2];
  const report = await loads.load(actor, { name: basename(path), path }, mapping);
  const faults = report.faults.slice(0, 20).map((fault) => `  line ${fault.line}: ${fault.problem}`);
  const head = report.unchanged
    ? 'This file was loaded before; nothing changed.'
    : `${report.accepted} accepted, ${report.flagged} flagged, ${report.rejected} rejected of ${report.lines} lines.`;
  return { text: [head, ...faults].join('\n'), json: { ...report } };
}

async function doctor({ health }: Services): Promise<CommandResult> {
  const report = await health.report();
  const lines = report.parts.map((part) => `${part.state.padEnd(8)} ${part.name}: ${part.text}`);
  return { text: lines.join('\n'), json: { ...report } };
}

/** Of one organisation, or of all where none was named. */
async function verifyAudit(services: Services, _actor: Actor, args: Record<string, unknown>): Promise<CommandResult> {
  const tenants = args.tenant === undefined ? services.site.tenants() : [text(args, 'tenant')];
  const states = [];
  for (const tenant of tenants) states.push(await services.audit_chain.verify(tenant));
  const lines = states.map(auditWords);
  return {
    ...{ text: lines.join('\n'), json: { tenants: states } },
    ...(states.some(({ fault }) => fault) ? { failed: true } : {}),
  };
}

function auditWords({ tenant, entries, signed, accepted, fault }: AuditState): string {
  if (fault) return `${tenant}: ${fault.problem}`;
  const until = signed ? `, signed up to entry ${signed.id}` : '';
  const former = accepted
    ? ` Entries up to ${accepted.through} were signed with another key (${accepted.former_keys.join(', ')}), which ${accepted.actor} accepted with entry ${accepted.entry} on ${accepted.at}.`
    : '';
  return `${tenant}: ${entries} entries, complete and unchanged${until}.${former}`;
}

/** Of one organisation, or of all where none was named. */
async function acceptAuditKey(
  { audit_chain, site }: Services,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const tenants = args.tenant === undefined ? site.tenants() : [text(args, 'tenant')];
  const outcomes = [];
  for (const tenant of tenants) outcomes.push({ tenant, state: await audit_chain.acceptKeys({ ...actor, tenant }) });
  const lines = outcomes.map(({ tenant, state }) =>
    state ? auditWords(state) : `${tenant}: nothing to accept, all of it is signed with the key of this box.`,
  );
  return { text: lines.join('\n'), json: { tenants: outcomes } };
}

async function train({ forecasts }: Services, actor: Actor, args: Record<string, unknown>): Promise<CommandResult> {
  const series = args.series === undefined ? undefined : text(args, 'series');
  await forecasts.refresh(actor.tenant, series);
  return { text: 'Forecasts made.', json: { refreshed: series ?? 'all' } };
}

async function trainModels({ models }: Services, actor: Actor, args: Record<string, unknown>): Promise<CommandResult> {
  const series = args.series === undefined ? {} : { series: text(args, 'series') };
  const networks = args.networks === undefined ? {} : { networks: args.networks === true };
  const runs = await models.train(actor, { force: true, ...networks, ...series });
  const lines = runs.map(({ series, horizon, recipe, state, metrics, reason }) => {
    const outcome = state === 'done' ? `MAE ${metrics.mae?.toPrecision(4)}` : `${state}, ${reason}`;
    return `${series} ${horizon} ${recipe}: ${outcome}`;
  });
  const json = runs.map(({ id, series, horizon, recipe, state, model_hash }) => ({
    ...{ id, series, horizon, recipe, state, model_hash },
  }));
  return { text: lines.join('\n') || 'There is nothing to learn from yet.', json: { runs: json } };
}

async function buildFeatures(
  { features }: Services,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const days = Number(args.days ?? 400);
  if (!Number.isInteger(days) || days < 1)
    throw new InvalidDataError(`${args.days} is no number of days.`, 'Give e.g. --days 400.');
  const series = args.series === undefined ? {} : { series: text(args, 'series') };
  const built = await features.build(actor.tenant, { days, ...series });
  const lines = Object.entries(built).map(([name, rows]) => `${name}: ${rows} hours`);
  return { text: lines.join('\n') || 'There is nothing to build features of yet.', json: { built } };
}

async function evaluate({ forecasts }: Services, actor: Actor): Promise<CommandResult> {
  const errors = await Promise.all(
    ['load', 'generation', 'price'].map(async (series) => ({
      series,
      ...(await forecasts.error(actor.tenant, series, 28)),
    })),
  );
  const lines = errors.map(
    (e) =>
      `${e.series}: MAE ${e.mae ?? '–'} ${e.unit} (${e.model}), same as last week ${e.naive_mae ?? '–'} over ${e.slots} slots`,
  );
  return { text: lines.join('\n'), json: { series: errors } };
}

async function reindex({ regulation }: Services, actor: Actor): Promise<CommandResult> {
  const { documents, passages } = await regulation.reindex(actor.tenant);
  return { text: `${passages} passages of ${documents} documents indexed.`, json: { documents, passages } };
}

async function startDemo({ demo }: Services, actor: Actor): Promise<CommandResult> {
  await demo.start(actor);
  return { text: 'The demo site runs.', json: { demo: true } };
}

async function stopDemo({ demo }: Services, actor: Actor): Promise<CommandResult> {
  await demo.stop(actor);
  return { text: 'The demo site is gone.', json: { demo: false } };
}

function text(args: Record<string, unknown>, name: string, fallback?: string): string {
  const value = args[name] ?? fallback;
  if (typeof value !== 'string' || value === '')
    throw new InvalidDataError(`${name} is missing.`, './luna --help shows how to give it.');
  return value;
}

function role(args: Record<string, unknown>): Role {
  const value = text(args, 'role', 'user');
  if (value !== 'admin' && value !== 'analyst' && value !== 'user')
    throw new InvalidDataError(`"${value}" is no role.`, 'Give admin, analyst or user.');
  return value;
}

/** 120 random bits, easy to read out. */
function newPassword(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString('base64url');
}
