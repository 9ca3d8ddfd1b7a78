/** Whose box this is, and who may see what it does for all organisations together. */
import type { Actor } from './services.ts';

/** The organisation that the set-up made: the box is its. */
export const OWNER = 'default';

/**
 * Whether somebody may see numbers of the whole box (readings, journal, queues, metrics). With a second organisation on it
 * they tell of the other's, so that only admins of the owner, who run the box, see them.
 * @param tenants that exist
 */
export function mayWatchBox({ tenant, role }: Pick<Actor, 'tenant' | 'role'>, tenants: readonly string[]): boolean {
  return tenant === OWNER && (role === 'admin' || tenants.length <= 1);
}
