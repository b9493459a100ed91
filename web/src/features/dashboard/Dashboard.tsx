import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { $api, poll, type Stats } from '~/api/client';
import { TrafficCard } from '~/features/traffic/TrafficCard';
import { TrafficTotals } from '~/features/traffic/TrafficTotals';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { STATUSES } from '~/lib/status';
import { Age } from '~/ui/Age';
import { Card, Page } from '~/ui/Page';
import { LoadError, LoadingLines, Notice } from '~/ui/states';
import { Count } from '~/ui/values';
import { Attention } from './Attention';
import css from './Dashboard.module.css';
import { ProxyCard } from './ProxyCard';
import { OnlineUsers, SoonUsers, TopUsers } from './UserLists';

export function Dashboard() {
  const { t } = useI18n();
  const stats = $api.useQuery('get', '/api/system/stats', {}, poll(10));
  return (
    <Page title={t('dashboard.title')} aside={<Age />}>
      {stats.isPending && <LoadingLines count={4} height={120} />}
      {stats.isError && !stats.data && <LoadError error={stats.error} onRetry={() => void stats.refetch()} />}
      {stats.data && <Figures stats={stats.data} />}
    </Page>
  );
}

function Figures({ stats }: { stats: Stats }) {
  const { t } = useI18n();
  return (
    <>
      <Attention warnings={stats.warnings} />
      <div className={css.top}>
        <ProxyCard stats={stats} />
        <Connections stats={stats} />
        <UserCounts stats={stats} />
      </div>
      {stats.users.total === 0 ? (
        <Card>
          <Notice title={t('dashboard.firstTitle')} hint={t('dashboard.firstHint')}>
            <Button component={Link} to="/new-user">
              {t('users.new')}
            </Button>
          </Notice>
        </Card>
      ) : (
        <>
          <TrafficTotals />
          <TrafficCard title={t('dashboard.traffic')} />
          <div className={css.lists}>
            <TopUsers stats={stats} />
            <OnlineUsers />
            <SoonUsers />
          </div>
        </>
      )}
    </>
  );
}

function Connections({ stats }: { stats: Stats }) {
  const { t, locale } = useI18n();
  const number = (value: number) => formatNumber(value, locale);
  return (
    <Card title={t('dashboard.connections')}>
      <div className={css.pair}>
        <Figure value={stats.connections} label={t('dashboard.connectionsNow')} />
        <Figure
          value={stats.online}
          label={`${t('dashboard.online')} ${t('dashboard.onlineOf', { formatted: number(stats.users.total) })}`}
        />
      </div>
      <div className="dim small">
        {stats.total_connections !== null && (
          <div>{t('dashboard.connectionsTotal', { formatted: number(stats.total_connections) })}</div>
        )}
        {stats.bad_connections !== null && (
          <div>{t('dashboard.bad', { formatted: number(stats.bad_connections) })}</div>
        )}
      </div>
    </Card>
  );
}

/** A large number with its label. */
function Figure({ value, label }: { value: number | null; label: string }) {
  return (
    <div>
      <div className="figure">
        <Count value={value} />
      </div>
      <div className="dim small">{label}</div>
    </div>
  );
}

function UserCounts({ stats }: { stats: Stats }) {
  const { t } = useI18n();
  return (
    <Card title={t('dashboard.users')} actions={<Link to="/users">{t('dashboard.all')}</Link>}>
      <ul className={css.counts}>
        {STATUSES.map((status) => (
          <li key={status}>
            <Link to="/users" search={{ status }} className={css.count} data-status={status}>
              <span>{t(`status.${status}`)}</span>
              <strong>
                <Count value={stats.users[status]} />
              </strong>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
