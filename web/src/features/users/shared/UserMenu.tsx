import { ActionIcon, Menu } from '@mantine/core';
import {
  IconCopy,
  IconDots,
  IconEdit,
  IconKey,
  IconPlayerPause,
  IconPlayerPlay,
  IconRotate,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import type { User } from '~/api/client';
import { useI18n } from '~/i18n';
import { useUserActions } from './useUserActions';

const icon = { size: 16, 'aria-hidden': true } as const;

interface Props {
  user: User;
  withEdit?: boolean;
  onDeleted?: () => void;
}

/** What can be done with a user. Loaded by the first press of its button, so it starts open. */
export function UserMenu({ user, withEdit = true, onDeleted }: Props) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const actions = useUserActions();
  return (
    <Menu position="bottom-end" width={220} defaultOpened>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={t('users.actions', { name: user.username })}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconCopy {...icon} />} onClick={() => void actions.copyLink(user)}>
          {t('action.copyLink')}
        </Menu.Item>
        {withEdit && (
          <Menu.Item
            leftSection={<IconEdit {...icon} />}
            onClick={() =>
              void navigate({ to: '/users/$username/edit', params: { username: user.username } })
            }
          >
            {t('action.edit')}
          </Menu.Item>
        )}
        {user.status === 'disabled' ? (
          <Menu.Item leftSection={<IconPlayerPlay {...icon} />} onClick={() => void actions.enable(user)}>
            {t('action.enable')}
          </Menu.Item>
        ) : (
          <Menu.Item leftSection={<IconPlayerPause {...icon} />} onClick={() => actions.disable(user)}>
            {t('action.disable')}
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconRotate {...icon} />} onClick={() => actions.resetUsage(user)}>
          {t('action.resetUsage')}
        </Menu.Item>
        <Menu.Item leftSection={<IconKey {...icon} />} onClick={() => actions.regenerate(user)}>
          {t('action.regenerate')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          color="red"
          leftSection={<IconTrash {...icon} />}
          onClick={() => actions.remove(user, onDeleted)}
        >
          {t('action.delete')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
