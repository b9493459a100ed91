import type { NotificationData } from '@mantine/notifications';
import { useSyncExternalStore } from 'react';
import { lazyComponent } from './lazy';
import css from './Messages.module.css';

// Not needed for the first paint, so it is loaded with the first message.
const load = () => import('@mantine/notifications');
export const Notifications = lazyComponent(() => load().then((module) => module.Notifications));

let wanted = false;
let tell: (() => void) | undefined;

/** Shows a short message in the corner of the page. */
export function showMessage(message: NotificationData): void {
  wanted = true;
  tell?.();
  // A failure to load is shown by `Notifications` itself.
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

/** The corner of the page in which messages appear. */
export function Messages() {
  if (!useSyncExternalStore(subscribe, () => wanted)) return null;
  return <Notifications position="bottom-right" classNames={{ root: css.root ?? '' }} autoClose={5000} />;
}
