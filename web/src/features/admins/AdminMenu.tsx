import { ActionIcon, Menu } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { api } from '~/api/client';
import type { Admin } from '~/api/session';
import { useI18n } from '~/i18n';
import { useConfirm } from '~/ui/Confirm';
import { useNotify } from '~/ui/notify';
import { refreshAdmins } from './refresh';

interface Props {
  admin: Admin;
  onPassword: () => void;
}

/** What can be done with an administrator. Loaded by the first press of its button, so it starts open. */
export function AdminMenu({ admin, onPassword }: Props) {
  const { t } = useI18n();
  const confirm = useConfirm();
  const { done } = useNotify();
  const name = admin.username;
  const params = { path: { username: name } };

  const changeRole = () =>
    confirm({
      title: t('admins.roleTitle', { name }),
      body: t('admins.roleBody'),
      action: t(admin.is_sudo ? 'admins.makePlain' : 'admins.makeSudo'),
      run: async (current_password) => {
        const proof = current_password ? { current_password } : {};
        const body = { is_sudo: !admin.is_sudo, ...proof };
        await api.PUT('/api/admins/{username}', { params, body });
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
    <Menu position="bottom-end" defaultOpened>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={t('users.actions', { name })}>
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
  );
}
