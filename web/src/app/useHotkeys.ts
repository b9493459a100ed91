import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { openPalette } from './palette';

const isUnderDialog = () => document.querySelector('[aria-modal=true]') !== null;

/** Where somebody types, letters are letters. Behind a dialog, they are nobody's. */
function isBusy(target: EventTarget | null): boolean {
  const typing =
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;
  return typing || isUnderDialog();
}

/** Ctrl+K or ⌘K: palette; "/": search; "n": new user. */
export function useHotkeys(): void {
  const navigate = useNavigate();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.code === 'KeyK') {
        event.preventDefault();
        if (!isUnderDialog()) openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target)) return;
      if (event.key === '/' || (event.code === 'Slash' && !event.shiftKey)) {
        event.preventDefault();
        const search = document.querySelector<HTMLInputElement>('input[type=search]');
        if (search && path.endsWith('/users')) search.focus();
        else void navigate({ to: '/users', hash: 'search' });
        // By its place on the keyboard: on a Russian or Persian one no key gives an "n".
      } else if (event.code === 'KeyN' && !event.shiftKey) {
        event.preventDefault();
        void navigate({ to: '/new-user' });
      }
    }
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [navigate, path]);
}
