import { useNavigate } from '@tanstack/react-router';
import { api } from '~/api/client';
import { refreshUsers } from '~/features/users/shared/refresh';
import { useI18n } from '~/i18n';
import { useNotify } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { UserForm } from './UserForm';
import { bodyOf, EMPTY, type FormValues } from './values';

/** The page that creates a user. */
export function CreateUser() {
  const { t } = useI18n();
  const navigate = useNavigate();
  const { done } = useNotify();

  async function create(values: FormValues): Promise<string> {
    const { data } = await api.POST('/api/users', { body: bodyOf(values) });
    const username = data?.username ?? values.username;
    done(t('action.created', { name: username }), data?.config_sync);
    void refreshUsers();
    return username;
  }

  return (
    <Page title={t('form.createTitle')} narrow>
      <UserForm
        initial={EMPTY}
        isNew
        submitLabel={t('form.create')}
        onSave={create}
        onCancel={() => void navigate({ to: '/users' })}
      />
    </Page>
  );
}
