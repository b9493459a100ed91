import { NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useAdmin } from '~/api/session';
import type { AuditFilters } from '~/app/router';
import { useI18n } from '~/i18n';
import { Age } from '~/ui/Age';
import { Card, Page } from '~/ui/Page';
import { Pager } from '~/ui/Pager';
import { Denied } from '~/ui/states';
import css from './Audit.module.css';
import { AuditList, useAudit } from './AuditList';
import { ACTIONS, useActionName } from './changes';

const SIZE = 50;

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
  const part = { filters, offset: (page - 1) * SIZE, limit: SIZE };
  const audit = useAudit(part);

  const change = (next: AuditFilters) =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...next }), replace: true });
  const changeLater = useDebouncedCallback(change, 300);

  return (
    <Page title={t('audit.title')} aside={<Age query={audit} />}>
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
          <TextInput
            key={field}
            aria-label={t(`audit.${field}`)}
            placeholder={t(`audit.${field}`)}
            dir="auto"
            defaultValue={filters[field] ?? ''}
            onChange={(event) => changeLater({ [field]: event.currentTarget.value.trim() || undefined })}
          />
        ))}
      </div>
      <Card>
        <AuditList {...part} />
      </Card>
      {audit.data && (
        <Pager page={page} size={SIZE} total={audit.data.total} onPage={(next) => change({ page: next })} />
      )}
    </Page>
  );
}
