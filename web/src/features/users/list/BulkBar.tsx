import { Button, Menu } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';
import type { BulkAction } from '~/api/client';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { BulkDialog, type BulkTarget } from './BulkDialog';
import type { UserFilters } from './filters';
import css from './Users.module.css';
import type { Selection } from './useSelection';

const ACTIONS: BulkAction[] = ['enable', 'disable', 'add_days', 'add_bytes', 'reset_usage', 'delete'];

const colorOf = (action: BulkAction) => (action === 'delete' ? { color: 'red' } : {});

interface Props {
  /** Whether there is no room for a button per action. */
  isNarrow: boolean;
  selection: Selection;
  filters: UserFilters;
  /** The names on this page. */
  shown: string[];
  total: number;
}

/** Bulk actions on the selected users, or on all users who match search and filter. */
export function BulkBar({ isNarrow, selection, filters, shown, total }: Props) {
  const { t, locale } = useI18n();
  const [action, setAction] = useState<BulkAction | null>(null);
  const { isAllMatching } = selection;
  const count = isAllMatching ? total : selection.names.size;
  const { search, status } = filters;
  const target: BulkTarget = isAllMatching
    ? { filter: { ...(search ? { search } : {}), ...(status ? { status } : {}) } }
    : { usernames: [...selection.names] };

  return (
    <div
      className={css.bulk}
      role="region"
      aria-label={t('bulk.selected', { count, formatted: formatNumber(count, locale) })}
    >
      <strong aria-live="polite">
        {t('bulk.selected', { count, formatted: formatNumber(count, locale) })}
      </strong>
      {!isAllMatching && total > selection.names.size && (
        <Button size="xs" variant="subtle" onClick={() => selection.selectAllMatching(shown)}>
          {t('bulk.selectMatching', { formatted: formatNumber(total, locale) })}
        </Button>
      )}
      {isNarrow ? (
        <Menu position="bottom-end" width={200}>
          <Menu.Target>
            <Button size="xs" variant="default" rightSection={<IconChevronDown size={16} aria-hidden />}>
              {t('bulk.actions')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {ACTIONS.map((each) => (
              <Menu.Item key={each} {...colorOf(each)} onClick={() => setAction(each)}>
                {t(`bulk.${each}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      ) : (
        ACTIONS.map((each) => (
          <Button
            key={each}
            size="xs"
            variant={each === 'delete' ? 'outline' : 'default'}
            {...colorOf(each)}
            onClick={() => setAction(each)}
          >
            {t(`bulk.${each}`)}
          </Button>
        ))
      )}
      <Button size="xs" variant="subtle" onClick={selection.clear}>
        {t('bulk.clear')}
      </Button>
      {action && (
        <BulkDialog
          action={action}
          count={count}
          target={target}
          onClose={() => setAction(null)}
          onDone={() => {
            setAction(null);
            selection.clear();
          }}
        />
      )}
    </div>
  );
}
