import { Button, NativeSelect } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { $api, poll } from '~/api/client';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { DEFAULT_SORT, SORT_KEYS, STATUSES, type UserFilters } from '~/lib/filters';
import { SearchInput } from '~/ui/SearchInput';
import type { Column } from './columns';
import css from './Users.module.css';

const ColumnMenu = lazy(() => import('./ColumnMenu').then((module) => ({ default: module.ColumnMenu })));

interface Props {
  filters: UserFilters;
  onChange: (next: Partial<Record<keyof UserFilters, unknown>>) => void;
  columns: Column[];
  onColumns: (columns: Column[]) => void;
  withOwner: boolean;
  /** Where there are no columns to press. */
  withSort: boolean;
}

export function Toolbar({ filters, onChange, columns, onColumns, withOwner, withSort }: Props) {
  return (
    <div className={css.toolbar}>
      <SearchInput value={filters.search ?? ''} onChange={(search) => onChange({ search })} />
      <StatusChips status={filters.status} onChange={(status) => onChange({ status })} />
      {withSort && <SortSelect sort={filters.sort ?? DEFAULT_SORT} onChange={(sort) => onChange({ sort })} />}
      <ColumnButton columns={columns} onColumns={onColumns} withOwner={withOwner} />
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
    { value: `-${key}`, label: `${t(`column.${key}`)}, ${t('users.descending')}` },
    { value: key, label: `${t(`column.${key}`)}, ${t('users.ascending')}` },
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

type ColumnProps = Pick<Props, 'columns' | 'onColumns' | 'withOwner'>;

function ColumnButton(props: ColumnProps) {
  const { t } = useI18n();
  const [wanted, setWanted] = useState(false);
  const button = (
    <Button
      variant="default"
      leftSection={<IconColumns3 size={16} aria-hidden />}
      aria-haspopup="menu"
      onClick={() => setWanted(true)}
    >
      {t('users.columns')}
    </Button>
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <ColumnMenu {...props} />
    </Suspense>
  );
}
