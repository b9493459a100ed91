import { Button } from '@mantine/core';
import { Outlet } from '@tanstack/react-router';
import { startSession, useSession } from '~/api/session';
import { useI18n } from '~/i18n';
import { Login } from '~/pages/login/Login';
import { LoginAgain } from '~/pages/login/LoginAgain';
import { Notice, PagePending } from '~/ui/states';
import { Shell } from './Shell';

/** Outside or inside. The address stays while somebody logs in, so that he comes out where he wanted to go. */
export function Root() {
  const { t } = useI18n();
  const session = useSession();
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
      <Shell>
        <Outlet />
      </Shell>
      <LoginAgain opened={session.state === 'expired'} admin={session.admin} />
    </>
  );
}
