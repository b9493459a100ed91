import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, type User } from '~/api/client';
import { keys } from '~/api/keys';
import { ApiError } from '~/api/problem';
import { refreshUsers } from '~/features/users/shared/refresh';
import { useI18n } from '~/i18n';
import { useNotify } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { LoadError, LoadingLines, NoSuchUser } from '~/ui/states';
import { UserForm } from './UserForm';
import { type FormValues, patchOf, valuesOf } from './values';

/** The page that changes a user. */
export function EditUser() {
  const { t } = useI18n();
  const { username } = useParams({ from: '/users/$username/edit' });
  // Read anew, because the form must start with the current values; and never again while somebody is typing.
  const query = useQuery({
    queryKey: keys.editedUser(username),
    queryFn: async ({ signal }) =>
      (await api.GET('/api/users/{username}', { params: { path: { username } }, signal })).data,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (query.error instanceof ApiError && query.error.status === 404) return <NoSuchUser />;
  return (
    <Page title={t('form.editTitle', { name: query.data?.username ?? username })} narrow>
      {query.isError && !query.data && <LoadError error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <LoadingLines count={6} height={56} />}
      {query.data && <Form key={query.data.username} user={query.data} />}
    </Page>
  );
}

function Form({ user }: { user: User }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const { done } = useNotify();
  // The values that the form started with. A later answer of the server does not change the form.
  const [initial] = useState(() => valuesOf(user));
  const params = { username: user.username };

  async function save(values: FormValues): Promise<string> {
    const body = patchOf(initial, values);
    if (Object.keys(body).length > 0) {
      const { data } = await api.PUT('/api/users/{username}', { params: { path: params }, body });
      done(t('action.saved', { name: user.username }), data?.config_sync);
      void refreshUsers();
    }
    return user.username;
  }

  return (
    <UserForm
      initial={initial}
      isNew={false}
      submitLabel={t('common.save')}
      onSave={save}
      onCancel={() => void navigate({ to: '/users/$username', params })}
    />
  );
}
