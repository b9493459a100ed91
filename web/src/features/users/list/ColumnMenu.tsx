import { Button, Menu } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import { COLUMNS, type Column } from '~/features/users/shared/columns';
import { useI18n } from '~/i18n';
import css from './Users.module.css';

interface Props {
  columns: Column[];
  onColumns: (columns: Column[]) => void;
  withOwner: boolean;
}

/** Chooses the columns of the list. Loaded by the first press of its button, so it starts open. */
export function ColumnMenu({ columns, onColumns, withOwner }: Props) {
  const { t } = useI18n();
  const toggle = (column: Column) =>
    onColumns(COLUMNS.filter((each) => (each === column ? !columns.includes(each) : columns.includes(each))));
  return (
    <Menu defaultOpened closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconColumns3 size={16} aria-hidden />}>
          {t('users.columns')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {COLUMNS.filter((column) => withOwner || column !== 'created_by').map((column) => (
          <Menu.Item
            key={column}
            role="menuitemcheckbox"
            aria-checked={columns.includes(column)}
            onClick={() => toggle(column)}
            leftSection={
              <span className={css.tick} data-on={columns.includes(column) || undefined} aria-hidden />
            }
          >
            {t(`column.${column}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
