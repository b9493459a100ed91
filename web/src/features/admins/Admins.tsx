import { ActionIcon, Button } from '@mantine/core';
import { IconDots, IconPlus } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { $api, poll } from '~/api/client';
import { type Admin, useAdmin } from '~/api/session';
import { useI18n } from '~/i18n';
import { Age } from '~/ui/Age';
import { lazyComponent } from '~/ui/lazy';
import { lazyOnPress } from '~/ui/lazyOnPress';
import { Page } from '~/ui/Page';
import { Pager } from '~/ui/Pager';
import { Denied, LoadError, LoadingLines } from '~/ui/states';
import { Moment } from '~/ui/values';
import css from './Admins.module.css';

const PAGE_SIZE = 50;

const AdminDialog = lazyComponent(() => import('./AdminDialog').then((module) => module.AdminDialog));

const AdminMenu = lazyOnPress(
  () => import('./AdminMenu').then((module) => module.AdminMenu),
  function Dots({ admin, onPress }) {
    const { t } = useI18n();
    const me = useAdmin();
    return (
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={t('users.actions', { name: admin.username })}
        aria-haspopup="menu"
        // One's own password and login session are on the page of settings.
        disabled={me.username === admin.username}
        onClick={onPress}
      >
        <IconDots size={18} aria-hidden />
      </ActionIcon>
    );
  },
);

export function Admins() {
  const { is_sudo } = useAdmin();
  return is_sudo ? <AdminList /> : <Denied />;
}

type Editing = { admin: Admin | null } | null;

function AdminList() {
  const { t } = useI18n();
  const [page, setPage] = useState(1);
  const [editing, setEditing] = useState<Editing>(null);
  const list = $api.useQuery(
    'get',
    '/api/admins',
    { params: { query: { offset: (page - 1) * PAGE_SIZE, limit: PAGE_SIZE } } },
    { placeholderData: keepPreviousData, ...poll(30) },
  );
  return (
    <Page
      title={t('admins.title')}
      aside={<Age />}
      actions={
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing({ admin: null })}>
          {t('admins.new')}
        </Button>
      }
    >
      {list.isPending && <LoadingLines count={4} height={56} />}
      {list.isError && !list.data && <LoadError error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && (
        <ul className={css.list}>
          {list.data.admins.map((admin) => (
            <AdminRow key={admin.username} admin={admin} onPassword={() => setEditing({ admin })} />
          ))}
        </ul>
      )}
      {list.data && list.data.total > PAGE_SIZE && (
        <Pager page={page} size={PAGE_SIZE} total={list.data.total} onPage={setPage} />
      )}
      {editing && <AdminDialog admin={editing.admin} onClose={() => setEditing(null)} />}
    </Page>
  );
}

function AdminRow({ admin, onPassword }: { admin: Admin; onPassword: () => void }) {
  const { t } = useI18n();
  const me = useAdmin();
  const name = admin.username;
  return (
    <li className={css.row}>
      <div className={css.name}>
        <strong>
          <bdi>{name}</bdi>
        </strong>
        {me.username === name && <span className="dim"> ({t('common.you')})</span>}
        <div className="dim small">{t(admin.is_sudo ? 'admins.sudo' : 'admins.plain')}</div>
      </div>
      <dl className={css.facts}>
        <div>
          <dt>{t('admins.lastLogin')}</dt>
          <dd>
            <Moment at={admin.last_login_at} />
          </dd>
        </div>
        <div>
          <dt>{t('admins.created')}</dt>
          <dd>
            <Moment at={admin.created_at} as="day" />
          </dd>
        </div>
      </dl>
      <AdminMenu admin={admin} onPassword={onPassword} />
    </li>
  );
}
