import { logOut } from '~/api/session';
import { useNotify } from '~/ui/notify';

/** Logs this browser out. A failure is shown as a message, because the login session goes on then. */
export function useLogOut() {
  const { failed } = useNotify();
  return async () => {
    try {
      await logOut();
    } catch (error) {
      failed(error);
    }
  };
}
