/** What runs in a process of its own: one task, whose outcome is told; the process ends with the box. */
import runTask from './task.ts';

type Order = Parameters<typeof runTask>[0];

process.once('disconnect', () => process.exit());
process.once('message', async (order: Order) => {
  const outcome = await runTask(order);
  process.send?.(outcome, () => process.exit());
});
