import { Button, NativeSelect } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import { $api, poll } from '~/api/client';
import type { Column } from '~/features/users/shared/columns';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { STATUSES } from '~/lib/status';
import { lazyOnPress } from '~/ui/lazyOnPress';
import { DEFAULT_SORT, SORT_KEYS, type UserFilters } from './filters';
import { SearchInput } from './SearchInput';
import css from './Users.module.css';

const ColumnMenu = lazyOnPress(
  () => import('./ColumnMenu').then((module) => module.ColumnMenu),
  function ColumnButton({ onPress }) {
    const { t } = useI18n();
    return (
      <Button
        variant="default"
        leftSection={<IconColumns3 size={16} aria-hidden />}
        aria-haspopup="menu"
        onClick={onPress}
      >
        {t('users.columns')}
      </Button>
    );
  },
);

interface Props {
  filters: UserFilters;
  onChange: (next: Partial<Record<keyof UserFilters, unknown>>) => void;
  columns: Column[];
  onColumns: (columns: Column[]) => void;
  withOwner: boolean;
}

/** Search, filter, order and columns of the list. */
export function Toolbar({ filters, onChange, columns, onColumns, withOwner }: Props) {
  return (
    <div className={css.toolbar}>
      <SearchInput value={filters.search ?? ''} onChange={(search) => onChange({ search })} />
      <StatusChips status={filters.status} onChange={(status) => onChange({ status })} />
      <SortSelect sort={filters.sort ?? DEFAULT_SORT} onChange={(sort) => onChange({ sort })} />
      <ColumnMenu columns={columns} onColumns={onColumns} withOwner={withOwner} />
    </div>
  );
}

function StatusChips({
  status,
  onChange,
}: {
  status: UserFilters['status'];
  onChange: (status?: string) => void;
}) {
  const { t, locale } = useI18n();
  const stats = $api.useQuery('get', '/api/system/stats', {}, poll(15));
  const counts = stats.data?.users;
  return (
    <div className={css.chips} role="group" aria-label={t('users.filter')}>
      {([undefined, ...STATUSES] as const).map((value) => (
        <button
          key={value ?? 'all'}
          type="button"
          className={css.chip}
          data-status={value}
          aria-pressed={status === value}
          onClick={() => onChange(value)}
        >
          {value ? t(`status.${value}`) : t('users.all')}
          {counts && <span className={css.count}>{formatNumber(counts[value ?? 'total'], locale)}</span>}
        </button>
      ))}
    </div>
  );
}

function SortSelect({ sort, onChange }: { sort: string; onChange: (sort: string) => void }) {
  const { t } = useI18n();
  const data = SORT_KEYS.flatMap((key) => [
    { value: `-${key}`, label: t('users.descending', { column: t(`column.${key}`) }) },
    { value: key, label: t('users.ascending', { column: t(`column.${key}`) }) },
  ]);
  return (
    <NativeSelect
      className={css.sortSelect}
      aria-label={t('users.sort')}
      value={sort}
      data={data}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
