/** Names of people that are taken out of what goes to a language model and into its log. */
import type { AccessService } from '../../services.ts';

/** Whole names; sign-in names only where they are no word. */
export function createPeopleNames(access: Pick<AccessService, 'listPeople'>) {
  return async (tenant: string): Promise<string[]> => {
    const known = await access.listPeople(tenant);
    return known.flatMap(({ name, login }) => [name.includes(' ') ? name : '', /[@.\d]/.test(login) ? login : '']);
  };
}
