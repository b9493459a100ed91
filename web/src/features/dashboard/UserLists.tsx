import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { $api, poll, type Soon, type Stats } from '~/api/client';
import { useI18n } from '~/i18n';
import { Card } from '~/ui/Page';
import { LoadError, LoadingLines } from '~/ui/states';
import { Bytes, Count, Moment } from '~/ui/values';
import css from './Dashboard.module.css';

/** How many users each list shows. */
const SHOWN = 6;

function Line({ username, children }: { username: string; children: ReactNode }) {
  return (
    <li>
      <Link to="/users/$username" params={{ username }} className={css.listName} title={username}>
        <bdi>{username}</bdi>
      </Link>
      <span className={css.listValue}>{children}</span>
    </li>
  );
}

/** The users with the most traffic. */
export function TopUsers({ stats }: { stats: Stats }) {
  const { t } = useI18n();
  const users = stats.user_traffic.filter((user) => user.data_used > 0).slice(0, SHOWN);
  return (
    <Card
      title={t('dashboard.topUsers')}
      actions={
        <Link to="/users" search={{ sort: '-data_used' }}>
          {t('dashboard.all')}
        </Link>
      }
    >
      {users.length === 0 && <div className="dim">{t('dashboard.topUsersEmpty')}</div>}
      <ul className={css.list}>
        {users.map((user) => (
          <Line key={user.username} username={user.username}>
            <Bytes value={user.data_used} />
          </Line>
        ))}
      </ul>
    </Card>
  );
}

/**
 * The users online. Those with a connection at the last scrape were seen last, so the first page by `last_seen_at` has
 * them.
 */
export function OnlineUsers() {
  const { t } = useI18n();
  const list = $api.useQuery(
    'get',
    '/api/users',
    { params: { query: { sort: '-last_seen_at', limit: 50 } } },
    poll(15),
  );
  const online = list.data?.users.filter((user) => user.online) ?? [];
  const users = online.sort((a, b) => b.connections - a.connections).slice(0, SHOWN);
  return (
    <Card
      title={t('dashboard.onlineNow')}
      actions={
        <Link to="/users" search={{ sort: '-last_seen_at' }}>
          {t('dashboard.all')}
        </Link>
      }
    >
      {list.isPending && <LoadingLines />}
      {list.isError && !list.data && <LoadError error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && users.length === 0 && <div className="dim">{t('dashboard.onlineEmpty')}</div>}
      <ul className={css.list}>
        {users.map((user) => (
          <Line key={user.username} username={user.username}>
            <span title={t('column.connections')}>
              <Count value={user.connections} />
            </span>
          </Line>
        ))}
      </ul>
    </Card>
  );
}

/** The active users who reach their expiry or their traffic limit next. */
export function SoonUsers() {
  const { t, locale } = useI18n();
  const list = $api.useQuery('get', '/api/system/soon', {}, poll(30));
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const soon = list.data && pickSoonest(list.data);
  return (
    <Card
      title={t('dashboard.soon')}
      actions={
        <Link to="/users" search={{ sort: 'expire_at', status: 'active' }}>
          {t('dashboard.all')}
        </Link>
      }
    >
      {list.isPending && <LoadingLines />}
      {list.isError && !list.data && <LoadError error={list.error} onRetry={() => void list.refetch()} />}
      {soon?.length === 0 && <div className="dim">{t('dashboard.soonEmpty')}</div>}
      <ul className={css.list}>
        {soon?.map(({ user, by }) => (
          <Line key={user.username} username={user.username}>
            {by === 'time' ? (
              <Moment at={user.expire_at} />
            ) : (
              t('dashboard.soonLimit', { percent: percent.format(user.data_used / (user.data_limit ?? 1)) })
            )}
          </Line>
        ))}
      </ul>
    </Card>
  );
}

/** First the users who expire soon, then those near their traffic limit; if there are many, half of each. */
function pickSoonest({ by_time, by_traffic }: Soon) {
  const known = new Set(by_time.map(({ username }) => username));
  const full = by_traffic.filter(({ username }) => !known.has(username));
  const ending = by_time.slice(0, Math.max(SHOWN / 2, SHOWN - full.length));
  return [
    ...ending.map((user) => ({ user, by: 'time' as const })),
    ...full.slice(0, SHOWN - ending.length).map((user) => ({ user, by: 'traffic' as const })),
  ];
}
