import { queryClient } from '~/api/client';
import { dependsOnUsers } from '~/api/keys';

/** Asks again for everything that shows users; what is on the screen stays until the answer. */
export async function refreshUsers(): Promise<void> {
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => dependsOnUsers(queryKey) });
}
