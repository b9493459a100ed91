import { useCallback } from 'react';
import { api, type ConfigSync, queryClient, type User } from '~/api/client';
import { keys } from '~/api/keys';
import { useI18n } from '~/i18n';
import { formatBytes } from '~/lib/bytes';
import { copy } from '~/lib/clipboard';
import { useConfirm } from '~/ui/Confirm';
import { useNotify } from '~/ui/notify';
import { refreshUsers } from './refresh';

const byName = (username: string) => ({ params: { path: { username } } });

type Subject = Pick<User, 'username' | 'data_used'>;

/**
 * What can be done with a user, from the list and from the user's page. What cuts connections or deletes asks first.
 */
export function useUserActions() {
  const { t, locale } = useI18n();
  const confirm = useConfirm();
  const { done, failed } = useNotify();

  const finish = useCallback(
    async (message: string, sync: ConfigSync | undefined) => {
      done(message, sync);
      await refreshUsers();
    },
    [done],
  );

  async function copyLink({ username: name }: Subject) {
    try {
      const { data } = await api.GET('/api/users/{username}/links', byName(name));
      if (data && (await copy(data.https_link))) done(t('action.linkCopied', { name }));
      else failed(t('common.copyFailed'));
    } catch (error) {
      failed(error);
    }
  }

  async function setStatus(name: string, status: 'active' | 'disabled') {
    const { data } = await api.PUT('/api/users/{username}', { ...byName(name), body: { status } });
    await finish(t(status === 'active' ? 'action.enabled' : 'action.disabled', { name }), data?.config_sync);
  }

  const enable = ({ username }: Subject) => setStatus(username, 'active').catch(failed);

  const disable = ({ username: name }: Subject) =>
    confirm({
      title: t('action.disableTitle', { name }),
      body: t('action.disableBody'),
      action: t('action.disable'),
      run: () => setStatus(name, 'disabled'),
    });

  const resetUsage = ({ username: name, data_used }: Subject) =>
    confirm({
      title: t('action.resetTitle', { name }),
      body: t('action.resetBody', { used: formatBytes(data_used, locale) }),
      action: t('action.resetUsage'),
      run: async () => {
        const { data } = await api.POST('/api/users/{username}/reset-usage', byName(name));
        await finish(t('action.usageReset', { name }), data?.config_sync);
      },
    });

  const regenerate = ({ username: name }: Subject) =>
    confirm({
      title: t('action.regenerateTitle', { name }),
      body: t('action.regenerateBody'),
      action: t('action.regenerate'),
      danger: true,
      run: async () => {
        const { data } = await api.POST('/api/users/{username}/regenerate-secret', byName(name));
        await finish(t('action.regenerated', { name }), data?.config_sync);
      },
    });

  const remove = ({ username: name }: Subject, after?: () => void) =>
    confirm({
      title: t('action.deleteTitle', { name }),
      body: t('action.deleteBody'),
      action: t('action.delete'),
      danger: true,
      run: async () => {
        const { response } = await api.DELETE('/api/users/{username}', byName(name));
        const state = response.headers.get('config-sync') === 'pending' ? 'pending' : 'applied';
        // The user's page must be left before their data is requested again.
        after?.();
        queryClient.removeQueries({ queryKey: keys.user(name) });
        await finish(t('action.deleted', { name }), { state, detail: null });
      },
    });

  return { copyLink, enable, disable, resetUsage, regenerate, remove };
}
