import { Button } from '@mantine/core';
import { Outlet } from '@tanstack/react-router';
import { useEffect } from 'react';
import { getSession, startSession, useSession } from '~/api/session';
import { useI18n } from '~/i18n';
import { ConfirmDialog } from '~/ui/Confirm';
import { lazyComponent } from '~/ui/lazy';
import { Notifications } from '~/ui/Messages';
import { Notice, PagePending } from '~/ui/states';
import { Shell } from './Shell';

const LoginAgain = lazyComponent(() =>
  import('~/features/session/LoginAgain').then((module) => module.LoginAgain),
);
const Login = lazyComponent(() => import('~/features/session/Login').then((module) => module.Login));

/** While the login dialog is over the page, Escape must not reach what is beneath. */
function keepEscape(event: KeyboardEvent): void {
  if (event.key === 'Escape' && getSession().state === 'expired') event.stopImmediatePropagation();
}

/**
 * The login, or the page after it. The address stays during the login, so that it leads to the page that was wanted.
 */
export function Root() {
  const { t } = useI18n();
  const session = useSession();
  const isLoggedIn = session.admin !== null;
  useEffect(() => {
    // Loaded in advance, because the panel may be unreachable when the login session ends.
    if (!isLoggedIn) return;
    const timer = setTimeout(() => {
      for (const each of [LoginAgain, ConfirmDialog, Notifications]) void each.preload();
    }, 3000);
    return () => clearTimeout(timer);
  }, [isLoggedIn]);
  useEffect(() => {
    // In the capture phase, which is before any dialog's own listener.
    window.addEventListener('keydown', keepEscape, true);
    return () => window.removeEventListener('keydown', keepEscape, true);
  }, []);
  if (session.state === 'starting') return <PagePending />;
  if (session.state === 'guest') return <Login />;
  if (session.state === 'unreachable') {
    return (
      <Notice isPage title={t('login.unreachable')} hint={t('login.unreachableHint')}>
        <Button onClick={() => void startSession()}>{t('common.retry')}</Button>
      </Notice>
    );
  }
  return (
    <>
      {/* The key drops the state of one administrator's pages before another's are shown. */}
      <Shell key={session.admin.username}>
        <Outlet />
      </Shell>
      {session.state === 'expired' && <LoginAgain admin={session.admin} />}
    </>
  );
}
