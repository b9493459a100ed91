import { ActionIcon, Button, Menu } from '@mantine/core';
import { IconDots, IconPlus } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import { $api, api, poll, queryClient } from '~/api/client';
import { type Admin, useAdmin } from '~/api/session';
import { useI18n } from '~/i18n';
import { Age } from '~/ui/Age';
import { useConfirm } from '~/ui/Confirm';
import { useNotify } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { Pager } from '~/ui/Pager';
import { Denied, Lines, LoadError } from '~/ui/states';
import { Moment } from '~/ui/values';
import { AdminDialog } from './AdminDialog';
import css from './Admins.module.css';

const SIZE = 50;

export function Admins() {
  const { is_sudo } = useAdmin();
  return is_sudo ? <AdminList /> : <Denied />;
}

export const refreshAdmins = () => queryClient.invalidateQueries({ queryKey: ['get', '/api/admins'] });

type Editing = { admin: Admin | null } | null;

function AdminList() {
  const { t } = useI18n();
  const [page, setPage] = useState(1);
  const [editing, setEditing] = useState<Editing>(null);
  const list = $api.useQuery(
    'get',
    '/api/admins',
    { params: { query: { offset: (page - 1) * SIZE, limit: SIZE } } },
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
      {list.isPending && <Lines count={4} height={56} />}
      {list.isError && !list.data && <LoadError error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && (
        <ul className={css.list}>
          {list.data.admins.map((admin) => (
            <AdminRow key={admin.username} admin={admin} onPassword={() => setEditing({ admin })} />
          ))}
        </ul>
      )}
      {list.data && list.data.total > SIZE && (
        <Pager page={page} size={SIZE} total={list.data.total} onPage={setPage} />
      )}
      {editing && <AdminDialog admin={editing.admin} onClose={() => setEditing(null)} />}
    </Page>
  );
}

function AdminRow({ admin, onPassword }: { admin: Admin; onPassword: () => void }) {
  const { t } = useI18n();
  const me = useAdmin();
  const confirm = useConfirm();
  const { done } = useNotify();
  const name = admin.username;
  const isMe = me.username === name;
  const params = { path: { username: name } };

  const changeRole = () =>
    confirm({
      title: t('admins.roleTitle', { name }),
      body: t('admins.roleBody'),
      action: t(admin.is_sudo ? 'admins.makePlain' : 'admins.makeSudo'),
      run: async () => {
        await api.PUT('/api/admins/{username}', { params, body: { is_sudo: !admin.is_sudo } });
        done(t('admins.roleChanged', { name }));
        await refreshAdmins();
      },
    });

  const remove = () =>
    confirm({
      title: t('admins.deleteTitle', { name }),
      body: t('admins.deleteBody'),
      action: t('action.delete'),
      danger: true,
      run: async () => {
        await api.DELETE('/api/admins/{username}', { params });
        done(t('action.deleted', { name }));
        await refreshAdmins();
      },
    });

  return (
    <li className={css.row}>
      <div className={css.name}>
        <strong>
          <bdi>{name}</bdi>
        </strong>
        {isMe && <span className="dim"> ({t('common.you')})</span>}
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
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={t('users.actions', { name })}
            // One's own password and session are in the settings.
            disabled={isMe}
          >
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={onPassword}>{t('admins.password')}</Menu.Item>
          <Menu.Item onClick={changeRole}>
            {t(admin.is_sudo ? 'admins.makePlain' : 'admins.makeSudo')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" onClick={remove}>
            {t('action.delete')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </li>
  );
}
