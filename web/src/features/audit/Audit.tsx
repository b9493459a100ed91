import { NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useAdmin } from '~/api/session';
import { useI18n } from '~/i18n';
import { Age } from '~/ui/Age';
import { Card, Page } from '~/ui/Page';
import { Pager } from '~/ui/Pager';
import { Denied } from '~/ui/states';
import css from './Audit.module.css';
import { AuditList, useAudit } from './AuditList';
import { ACTIONS, useActionName } from './changes';
import type { AuditFilters } from './filters';

const PAGE_SIZE = 50;

export function Audit() {
  const { is_sudo } = useAdmin();
  return is_sudo ? <AuditLog /> : <Denied />;
}

function AuditLog() {
  const { t } = useI18n();
  const actionName = useActionName();
  const filters = useSearch({ from: '/audit' });
  const navigate = useNavigate({ from: '/audit' });
  const page = filters.page ?? 1;
  const query = { filters, offset: (page - 1) * PAGE_SIZE, limit: PAGE_SIZE };
  const audit = useAudit(query);

  const change = (next: AuditFilters) =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...next }), replace: true });

  return (
    <Page title={t('audit.title')} aside={<Age />}>
      <div className={css.filters}>
        <NativeSelect
          aria-label={t('audit.action')}
          value={filters.action ?? ''}
          data={[
            { value: '', label: t('audit.anyAction') },
            ...ACTIONS.map((value) => ({ value, label: actionName(value) })),
          ]}
          onChange={(event) => change({ action: event.currentTarget.value || undefined })}
        />
        {(['actor', 'target'] as const).map((field) => (
          <NameFilter
            key={field}
            label={t(`audit.${field}`)}
            value={filters[field] ?? ''}
            onChange={(name) => change({ [field]: name || undefined })}
          />
        ))}
      </div>
      <Card>
        <AuditList {...query} />
      </Card>
      {audit.data && (
        <Pager
          page={page}
          size={PAGE_SIZE}
          total={audit.data.total}
          onPage={(next) => change({ page: next })}
        />
      )}
    </Page>
  );
}

interface NameProps {
  label: string;
  value: string;
  onChange: (name: string) => void;
}

/**
 * A filter by name. Each field has its own delay, so that typing in one does not discard what was typed in the other.
 */
function NameFilter({ label, value, onChange }: NameProps) {
  const changeLater = useDebouncedCallback(onChange, 300);
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      dir="auto"
      defaultValue={value}
      onChange={(event) => changeLater(event.currentTarget.value.trim())}
    />
  );
}
