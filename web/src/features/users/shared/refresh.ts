import { queryClient } from '~/api/client';
import { dependsOnUsers } from '~/api/keys';

/** Requests everything again that depends on users. What is on the screen stays until the answer. */
export async function refreshUsers(): Promise<void> {
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => dependsOnUsers(queryKey) });
}
