import { queryClient } from '~/api/client';
import { keys } from '~/api/keys';

/** Asks again for the list of administrators. */
export const refreshAdmins = () => queryClient.invalidateQueries({ queryKey: keys.admins });
