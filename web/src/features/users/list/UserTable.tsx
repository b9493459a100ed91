import { IconArrowDown, IconArrowUp, IconQrcode } from '@tabler/icons-react';
import { memo, useDeferredValue } from 'react';
import type { User } from '~/api/client';
import { Cell } from '~/features/users/shared/Cell';
import type { Column } from '~/features/users/shared/columns';
import iconButton from '~/features/users/shared/iconButton.module.css';
import { UserMenuButton } from '~/features/users/shared/UserMenuButton';
import { useI18n } from '~/i18n';
import { OnlineDot } from '~/ui/StatusBadge';
import { DEFAULT_SORT, nextSort, type Sort, type SortKey } from './filters';
import { UserLink } from './UserLink';
import css from './Users.module.css';
import type { Selection } from './useSelection';

/** How many rows are rendered first. The others follow a moment later; they are mostly below the visible part. */
const FIRST_ROWS = 20;

/** The columns by which the list can be sorted. */
const SORTABLE: Partial<Record<Column, SortKey>> = {
  status: 'status',
  data_used: 'data_used',
  data_limit: 'data_limit',
  expire_at: 'expire_at',
  last_seen_at: 'last_seen_at',
  created_at: 'created_at',
};

/** Properties that the table and the cards have in common. */
export interface ListProps {
  users: User[];
  columns: Column[];
  selection: Selection;
  onQr: (username: string) => void;
}

interface TableProps extends ListProps {
  sort: Sort | undefined;
  onSort: (sort: Sort) => void;
  busy: boolean;
}

/** The list on a wide screen. */
export function UserTable({ users, columns, selection, sort, onSort, onQr, busy }: TableProps) {
  const { t } = useI18n();
  const later = useDeferredValue(users);
  const names = users.map((user) => user.username);
  const chosen = names.filter(selection.has).length;
  return (
    <div className={css.tableFrame} data-busy={busy || undefined}>
      <table className={css.table}>
        <thead>
          <tr>
            <th className={css.check} scope="col">
              <input
                type="checkbox"
                className={css.box}
                aria-label={t('users.selectAll')}
                checked={chosen > 0 && chosen === names.length}
                ref={(box) => {
                  // HTML has no attribute for "some of them".
                  if (box) box.indeterminate = chosen > 0 && chosen < names.length;
                }}
                onChange={(event) => selection.set(names, event.currentTarget.checked)}
              />
            </th>
            <SortHeader column="username" label={t('column.username')} sort={sort} onSort={onSort} />
            {columns.map((column) => {
              const key = SORTABLE[column];
              const label = t(`column.${column}`);
              return key ? (
                <SortHeader key={column} column={key} label={label} sort={sort} onSort={onSort} />
              ) : (
                <th key={column} scope="col" data-column={column}>
                  {label}
                </th>
              );
            })}
            <th scope="col">
              <span className="visually-hidden">{t('common.more')}</span>
            </th>
          </tr>
        </thead>
        {[users.slice(0, FIRST_ROWS), later.slice(FIRST_ROWS)].map((part, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: there are always these two
          <tbody key={index}>
            {part.map((user) => (
              <Row
                key={user.username}
                user={user}
                columns={columns}
                selected={selection.has(user.username)}
                onSelect={selection.set}
                onQr={onQr}
              />
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

interface SortHeaderProps {
  column: SortKey;
  label: string;
  sort: Sort | undefined;
  onSort: (sort: Sort) => void;
}

function SortHeader({ column, label, sort = DEFAULT_SORT, onSort }: SortHeaderProps) {
  const direction = sort === column ? 'ascending' : sort === `-${column}` ? 'descending' : 'none';
  return (
    <th scope="col" aria-sort={direction} data-column={column}>
      <button type="button" className={css.sort} onClick={() => onSort(nextSort(sort, column))}>
        {label}
        {direction === 'ascending' && <IconArrowUp size={14} aria-hidden />}
        {direction === 'descending' && <IconArrowDown size={14} aria-hidden />}
      </button>
    </th>
  );
}

interface RowProps {
  user: User;
  columns: Column[];
  selected: boolean;
  onSelect: (names: string[], selected: boolean) => void;
  onQr: (username: string) => void;
}

// Without memo, a tick of the clock would render all 200 rows again.
const Row = memo(function Row({ user, columns, selected, onSelect, onQr }: RowProps) {
  const { t } = useI18n();
  const { username } = user;
  return (
    <tr data-selected={selected || undefined}>
      <td className={css.check}>
        <input
          type="checkbox"
          className={css.box}
          aria-label={t('users.select', { name: username })}
          checked={selected}
          onChange={(event) => onSelect([username], event.currentTarget.checked)}
        />
      </td>
      <th scope="row" className={css.nameCell}>
        <span className={css.name}>
          <OnlineDot online={user.online} />
          <UserLink username={username} className={css.nameLink} />
        </span>
        {user.note && !columns.includes('note') && (
          <span className={css.note} title={user.note}>
            <bdi>{user.note}</bdi>
          </span>
        )}
      </th>
      {columns.map((column) => (
        <td key={column} className={column === 'note' ? css.noteCell : undefined}>
          <Cell user={user} column={column} />
        </td>
      ))}
      <td className={css.rowActions}>
        <button
          type="button"
          className={iconButton.button}
          aria-label={`${t('action.qr')}: ${username}`}
          onClick={() => onQr(username)}
        >
          <IconQrcode size={18} aria-hidden />
        </button>
        <UserMenuButton user={user} />
      </td>
    </tr>
  );
});
