import type { NotificationData } from '@mantine/notifications';
import { lazy, Suspense, useSyncExternalStore } from 'react';
import css from './Messages.module.css';

// Messages come after something was done, never at the first paint, so what shows them is loaded with the first one.
const load = () => import('@mantine/notifications');
const Notifications = lazy(() => load().then((module) => ({ default: module.Notifications })));

let wanted = false;
let tell: (() => void) | undefined;

export async function showMessage(message: NotificationData): Promise<void> {
  wanted = true;
  tell?.();
  (await load()).notifications.show(message);
}

function subscribe(listener: () => void): () => void {
  tell = listener;
  return () => {
    tell = undefined;
  };
}

/** The corner in which they appear. */
export function Messages() {
  if (!useSyncExternalStore(subscribe, () => wanted)) return null;
  return (
    <Suspense fallback={null}>
      <Notifications position="bottom-right" classNames={{ root: css.root ?? '' }} autoClose={5000} />
    </Suspense>
  );
}
