import { Button } from '@mantine/core';
import { Outlet } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { startSession, useSession } from '~/api/session';
import { useI18n } from '~/i18n';
import { Notice, PagePending } from '~/ui/states';
import { Shell } from './Shell';

const loadLoginAgain = () =>
  import('~/pages/login/LoginAgain').then((module) => ({ default: module.LoginAgain }));
const LoginAgain = lazy(loadLoginAgain);
const Login = lazy(() => import('~/pages/login/Login').then((module) => ({ default: module.Login })));

/** Outside or inside. The address stays while somebody logs in, so that he comes out where he wanted to go. */
export function Root() {
  const { t } = useI18n();
  const session = useSession();
  const isInside = session.admin !== null;
  useEffect(() => {
    // In good time: when the session ends, the panel may be out of reach.
    if (isInside) setTimeout(() => void loadLoginAgain(), 3000);
  }, [isInside]);
  if (session.state === 'starting') return <PagePending />;
  if (session.state === 'guest') {
    return (
      <Suspense fallback={null}>
        <Login />
      </Suspense>
    );
  }
  if (session.state === 'unreachable') {
    return (
      <Notice isPage title={t('login.unreachable')} hint={t('login.unreachableHint')}>
        <Button onClick={() => void startSession()}>{t('common.retry')}</Button>
      </Notice>
    );
  }
  return (
    <>
      <Shell>
        <Outlet />
      </Shell>
      <Suspense fallback={null}>
        {session.state === 'expired' && <LoginAgain admin={session.admin} />}
      </Suspense>
    </>
  );
}
