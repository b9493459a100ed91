import { Button } from '@mantine/core';
import { IconEdit } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { $api, type LinkedUser, poll } from '~/api/client';
import { ApiError } from '~/api/problem';
import { useAdmin } from '~/api/session';
import { UserAudit } from '~/features/audit/UserAudit';
import { TrafficCard } from '~/features/traffic/TrafficCard';
import { Cell } from '~/features/users/shared/Cell';
import { LinkPanel } from '~/features/users/shared/LinkPanel';
import { UsageBar } from '~/features/users/shared/UsageBar';
import { UserMenuButton } from '~/features/users/shared/UserMenuButton';
import { useI18n } from '~/i18n';
import { Age } from '~/ui/Age';
import { Card, Facts, Page } from '~/ui/Page';
import { OnlineDot, StatusBadge, useStatusReason } from '~/ui/StatusBadge';
import { LoadError, LoadingLines, NoSuchUser } from '~/ui/states';
import { Moment } from '~/ui/values';
import css from './UserPage.module.css';

/** The page of one user: link, usage, traffic and the last actions. */
export function UserPage() {
  const { t } = useI18n();
  const { username } = useParams({ from: '/users/$username' });
  const navigate = useNavigate();
  const { is_sudo } = useAdmin();
  const query = $api.useQuery('get', '/api/users/{username}', { params: { path: { username } } }, poll(15));
  const user = query.data;

  if (query.error instanceof ApiError && query.error.status === 404) return <NoSuchUser />;
  return (
    <Page
      title={user?.username ?? username}
      heading={
        <>
          {user && <OnlineDot online={user.online} />}
          <bdi>{user?.username ?? username}</bdi>
        </>
      }
      aside={<Age />}
      actions={
        user && (
          <>
            <Button
              component={Link}
              to="/users/$username/edit"
              // @ts-expect-error Mantine's polymorphic props lose the router's types of the path
              params={{ username: user.username }}
              variant="default"
              leftSection={<IconEdit size={16} aria-hidden />}
            >
              {t('action.edit')}
            </Button>
            <UserMenuButton user={user} withEdit={false} onDeleted={() => void navigate({ to: '/users' })} />
          </>
        )
      }
    >
      {query.isPending && <LoadingLines count={3} height={140} />}
      {query.isError && !user && <LoadError error={query.error} onRetry={() => void query.refetch()} />}
      {user && (
        <>
          <div className={css.grid}>
            <Card title={t('user.link')}>
              <LinkPanel username={user.username} links={user.proxy_links} />
            </Card>
            <Usage user={user} />
          </div>
          <TrafficCard title={t('user.history')} username={user.username} />
          {is_sudo && (
            <Card title={t('user.audit')}>
              <UserAudit username={user.username} />
            </Card>
          )}
        </>
      )}
    </Page>
  );
}

function Usage({ user }: { user: LinkedUser }) {
  const { t } = useI18n();
  const reason = useStatusReason()(user);
  return (
    <Card title={t('user.usage')} actions={<StatusBadge status={user.status} />}>
      {reason && <div className="dim small">{reason}</div>}
      <UsageBar used={user.data_used} limit={user.data_limit} />
      <Facts
        rows={[
          [t('column.expire_at'), <Ends key="ends" at={user.expire_at} />],
          [t('column.connections'), <Cell key="connections" user={user} column="connections" />],
          [t('column.unique_ips'), <Cell key="addresses" user={user} column="unique_ips" />],
          [t('form.reset'), t(`reset.${user.reset_strategy}`)],
          user.next_reset_at !== null && [
            t('user.nextReset'),
            <Moment key="next" at={user.next_reset_at} as="full" />,
          ],
          [t('user.lastSeen'), <Moment key="seen" at={user.last_seen_at} />],
          [t('user.created'), <Moment key="created" at={user.created_at} as="full" />],
          [t('user.updated'), <Moment key="updated" at={user.updated_at} as="full" />],
          [t('user.owner'), <Cell key="owner" user={user} column="created_by" />],
        ]}
      />
      {user.note && (
        <div>
          <div className="dim small">{t('user.note')}</div>
          <div className={css.note}>
            <bdi>{user.note}</bdi>
          </div>
        </div>
      )}
    </Card>
  );
}

/** When a user expires: the date, and how far away it is. */
function Ends({ at }: { at: string | null }) {
  const { t } = useI18n();
  if (at === null) return <Moment at={null} otherwise={t('common.endless')} />;
  return (
    <>
      <Moment at={at} as="full" />{' '}
      <span className="dim">
        (<Moment at={at} />)
      </span>
    </>
  );
}
