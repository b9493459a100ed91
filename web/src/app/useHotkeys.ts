import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { openPalette } from './palette';

const isDialogOpen = () => document.querySelector('[aria-modal=true]') !== null;

/** Whether a letter is text or meant for a dialog, and so not a shortcut. */
function isBusy(target: EventTarget | null): boolean {
  const typing =
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;
  return typing || isDialogOpen();
}

/** Keyboard shortcuts. Ctrl+K or ⌘K: palette; "/": search; "n": new user. */
export function useHotkeys(): void {
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.code === 'KeyK') {
        event.preventDefault();
        if (!isDialogOpen()) openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target)) return;
      if (event.key === '/' || (event.code === 'Slash' && !event.shiftKey)) {
        event.preventDefault();
        const search = document.querySelector<HTMLInputElement>('input[type=search]');
        if (search && path.endsWith('/users')) search.focus();
        else void navigate({ to: '/users', hash: 'search' });
        // By its place on the keyboard: Russian and Persian layouts have no "n".
      } else if (event.code === 'KeyN' && !event.shiftKey) {
        event.preventDefault();
        void navigate({ to: '/new-user' });
      }
    }
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [navigate, path]);
}
