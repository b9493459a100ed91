import { Button } from '@mantine/core';
import { Outlet } from '@tanstack/react-router';
import { useEffect } from 'react';
import { getSession, startSession, useSession } from '~/api/session';
import { useI18n } from '~/i18n';
import { ConfirmDialog } from '~/ui/Confirm';
import { Notifications } from '~/ui/Messages';
import { piece } from '~/ui/piece';
import { Notice, PagePending } from '~/ui/states';
import { Shell } from './Shell';

const LoginAgain = piece(() => import('~/features/session/LoginAgain').then((module) => module.LoginAgain));
const Login = piece(() => import('~/features/session/Login').then((module) => module.Login));

/** While the login lies over the page, Escape is not for what is beneath it. */
function keepEscape(event: KeyboardEvent): void {
  if (event.key === 'Escape' && getSession().state === 'expired') event.stopImmediatePropagation();
}

/** Outside or inside. The address stays while somebody logs in, so that he comes out where he wanted to go. */
export function Root() {
  const { t } = useI18n();
  const session = useSession();
  const isInside = session.admin !== null;
  useEffect(() => {
    // In good time: when the session ends, the panel may be out of reach.
    if (!isInside) return;
    const timer = setTimeout(() => {
      for (const each of [LoginAgain, ConfirmDialog, Notifications]) void each.preload();
    }, 3000);
    return () => clearTimeout(timer);
  }, [isInside]);
  useEffect(() => {
    // Before any dialog listens.
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
      {/* Nothing of one administrator's pages is left to another. */}
      <Shell key={session.admin.username}>
        <Outlet />
      </Shell>
      {session.state === 'expired' && <LoginAgain admin={session.admin} />}
    </>
  );
}
