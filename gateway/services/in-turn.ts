/** Work of one tenant is done one after another, in the order in which it came; what fails keeps nothing behind it back. */
export function createTurns(): <T>(tenant: string, work: () => Promise<T>) => Promise<T> {
  const turns = new Map<string, Promise<unknown>>();
  return (tenant, work) => {
    const turn = (turns.get(tenant) ?? Promise.resolve()).then(work, work);
    turns.set(
      tenant,
      turn.catch(() => {}),
    );
    return turn;
  };
}
