import type { NotificationData } from '@mantine/notifications';
import { useSyncExternalStore } from 'react';
import css from './Messages.module.css';
import { piece } from './piece';

// Messages come after something was done, never at the first paint, so what shows them is loaded with the first one.
const load = () => import('@mantine/notifications');
export const Notifications = piece(() => load().then((module) => module.Notifications));

let wanted = false;
let tell: (() => void) | undefined;

export function showMessage(message: NotificationData): void {
  wanted = true;
  tell?.();
  // If it does not come, the corner itself says so.
  load().then(
    ({ notifications }) => notifications.show(message),
    () => {},
  );
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
  return <Notifications position="bottom-right" classNames={{ root: css.root ?? '' }} autoClose={5000} />;
}
