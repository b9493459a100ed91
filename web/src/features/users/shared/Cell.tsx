import type { ReactNode } from 'react';
import type { User } from '~/api/client';
import { useI18n } from '~/i18n';
import { StatusBadge, useStatusReason } from '~/ui/StatusBadge';
import { Bytes, Count, Moment } from '~/ui/values';
import type { Column } from './columns';
import { UsageBar } from './UsageBar';

/** A count beside its limit: "3 / 8". */
function CountOfLimit({ value, limit }: { value: number; limit: number | null }) {
  return (
    <>
      <Count value={value} />
      {limit !== null && (
        <span className="dim">
          {' '}
          / <Count value={limit} />
        </span>
      )}
    </>
  );
}

/** One value of a user, as shown in the table, on a card and on the user's page. */
export function Cell({ user, column }: { user: User; column: Column }): ReactNode {
  const { t } = useI18n();
  const reason = useStatusReason();
  switch (column) {
    case 'status':
      return <StatusBadge status={user.status} reason={reason(user)} />;
    case 'data_used':
      return <UsageBar used={user.data_used} limit={user.data_limit} />;
    case 'data_limit':
      return user.data_limit === null ? (
        <span className="dim">{t('common.unlimited')}</span>
      ) : (
        <Bytes value={user.data_limit} />
      );
    case 'expire_at':
      return <Moment at={user.expire_at} otherwise={t('common.endless')} />;
    case 'connections':
      return <CountOfLimit value={user.connections} limit={user.max_connections} />;
    case 'unique_ips':
      return <CountOfLimit value={user.unique_ips} limit={user.max_unique_ips} />;
    case 'last_seen_at':
      return <Moment at={user.last_seen_at} />;
    case 'created_at':
      return <Moment at={user.created_at} as="day" />;
    case 'created_by':
      return user.created_by ? <bdi>{user.created_by}</bdi> : <span className="dim">{t('common.none')}</span>;
    case 'note':
      return <bdi>{user.note}</bdi>;
  }
}
