/** `luna simulate`: a battery in past months under several policies, on the command line. */
import type { CommandResult } from './control.ts';
import type { Actor, Services } from './services.ts';

export async function simulateMonths(
  { simulations }: Services,
  { tenant }: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const number = (value: unknown) => (value === undefined ? undefined : Number(value));
  const asked = {
    ...{ from: args.from, to: args.to ?? args.from, capacity_kWh: number(args.capacity), power_kW: number(args.power) },
    ...(args.efficiency === undefined ? {} : { efficiency: number(args.efficiency) }),
    ...(args.tariff === undefined ? {} : { tariff: args.tariff }),
  };
  const result = await simulations.run(tenant, asked);
  const money = (amount: number) => amount.toFixed(2).padStart(11);
  const lines = result.policies.map(({ name, bill, saving, low, high, capture, cycles, peak_kW }) =>
    [
      ...[name.padEnd(18), money(bill), money(saving), `[${low.toFixed(2)}, ${high.toFixed(2)}]`.padStart(24)],
      ...[capture === null ? '     –' : `${(100 * capture).toFixed(1)} %`.padStart(8)],
      ...[cycles.toFixed(1).padStart(8), peak_kW.toFixed(1).padStart(8)],
    ].join(' '),
  );
  const head = `${'policy'.padEnd(18)} ${'bill'.padStart(11)} ${'saving'.padStart(11)} ${'95 % interval'.padStart(24)} ${'capture'.padStart(8)} ${'cycles'.padStart(8)} ${'peak kW'.padStart(8)}`;
  const days = `${result.days} days${result.days_left_out > 0 ? `, ${result.days_left_out} left out for missing readings or prices` : ''}; ${result.currency}`;
  return { text: [head, ...lines, days].join('\n'), json: { ...result } };
}
