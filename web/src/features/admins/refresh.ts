import { queryClient } from '~/api/client';
import { keys } from '~/api/keys';

/** Requests the list of administrators again. */
export const refreshAdmins = () => queryClient.invalidateQueries({ queryKey: keys.admins });
