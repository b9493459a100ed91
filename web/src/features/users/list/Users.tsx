import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { $api, poll } from '~/api/client';
import { useAdmin } from '~/api/session';
import type { Column } from '~/features/users/shared/columns';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { Age } from '~/ui/Age';
import { lazyComponent } from '~/ui/lazy';
import { Page } from '~/ui/Page';
import { Pager } from '~/ui/Pager';
import { LoadError, LoadingLines, Notice } from '~/ui/states';
import { recallColumns, rememberColumns } from './chosenColumns';
import { DEFAULT_SIZE, listQuery, parseUserFilters, type UserFilters } from './filters';
import { Toolbar } from './Toolbar';
import { UserCards } from './UserCards';
import { UserTable } from './UserTable';
import { useSelection } from './useSelection';

const BulkBar = lazyComponent(() => import('./BulkBar').then((module) => module.BulkBar));
const QrDialog = lazyComponent(() => import('./QrDialog').then((module) => module.QrDialog));

/** The page with the list of users. */
export function Users() {
  const { t, locale } = useI18n();
  const { is_sudo } = useAdmin();
  const filters = useSearch({ from: '/users' });
  const navigate = useNavigate({ from: '/users' });
  // Below this width the columns do not fit beside the navigation.
  const isNarrow = useMediaQuery('(max-width: 64em)', undefined, { getInitialValueInEffect: false });
  const selection = useSelection(`${filters.status ?? ''} ${filters.search ?? ''}`);
  const [columns, setColumns] = useState(recallColumns);
  const [qrOf, setQrOf] = useState<string | null>(null);

  const list = $api.useQuery(
    'get',
    '/api/users',
    { params: { query: listQuery(filters) } },
    { placeholderData: keepPreviousData, ...poll(15) },
  );

  const change = useCallback(
    (next: Partial<Record<keyof UserFilters, unknown>>) => {
      // Another search, filter or order starts on the first page.
      const search = (before: UserFilters) => parseUserFilters({ ...before, page: undefined, ...next });
      void navigate({ search, replace: true, resetScroll: 'page' in next });
    },
    [navigate],
  );

  const total = list.data?.total ?? 0;
  const size = filters.size ?? DEFAULT_SIZE;
  const lastPage = Math.max(1, Math.ceil(total / size));
  const page = filters.page ?? 1;
  // The last page may become empty by a deletion.
  useEffect(() => {
    if (list.isSuccess && !list.isPlaceholderData && page > lastPage) change({ page: lastPage });
  }, [list.isSuccess, list.isPlaceholderData, page, lastPage, change]);

  function chooseColumns(next: Column[]) {
    setColumns(next);
    rememberColumns(next);
  }

  const shown = useMemo(
    () => (is_sudo ? columns : columns.filter((column) => column !== 'created_by')),
    [is_sudo, columns],
  );
  const users = list.data?.users ?? [];
  const props = { users, columns: shown, selection, onQr: setQrOf };

  return (
    <Page
      title={t('users.title')}
      aside={<Age />}
      actions={
        <Button component={Link} to="/new-user" leftSection={<IconPlus size={18} aria-hidden />}>
          {t('users.new')}
        </Button>
      }
    >
      <Toolbar
        filters={filters}
        onChange={change}
        columns={columns}
        onColumns={chooseColumns}
        withOwner={is_sudo}
      />
      {list.isError && !list.data && <LoadError error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <LoadingLines count={8} height={44} />}
      {list.data && users.length === 0 && (
        <Empty filters={filters} onClear={() => change({ search: undefined, status: undefined })} />
      )}
      {users.length > 0 && (
        <>
          {isNarrow ? (
            <UserCards {...props} />
          ) : (
            <UserTable
              {...props}
              sort={filters.sort}
              onSort={(sort) => change({ sort })}
              busy={list.isPlaceholderData}
            />
          )}
          <Pager
            page={page}
            size={size}
            total={total}
            onPage={(next) => change({ page: next })}
            onSize={(next) => change({ size: next })}
          />
        </>
      )}
      {/* After the list and over its lower edge, so that the list does not move. */}
      {selection.names.size > 0 && (
        <BulkBar
          isNarrow={isNarrow}
          selection={selection}
          filters={filters}
          shown={users.map((user) => user.username)}
          total={total}
        />
      )}
      <span className="visually-hidden" role="status">
        {list.data && !list.isPlaceholderData
          ? t('common.total', { formatted: formatNumber(total, locale) })
          : ''}
      </span>
      {qrOf && <QrDialog username={qrOf} onClose={() => setQrOf(null)} />}
    </Page>
  );
}

/** Shown instead of an empty list. */
function Empty({ filters, onClear }: { filters: UserFilters; onClear: () => void }) {
  const { t } = useI18n();
  if (filters.search || filters.status) {
    return (
      <Notice title={t('users.noneTitle')} hint={t('users.noneHint')}>
        <Button variant="default" onClick={onClear}>
          {t('users.clear')}
        </Button>
      </Notice>
    );
  }
  return (
    <Notice title={t('users.emptyTitle')} hint={t('users.emptyHint')}>
      <Button component={Link} to="/new-user">
        {t('users.new')}
      </Button>
    </Notice>
  );
}
