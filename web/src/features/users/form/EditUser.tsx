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
import { Lines, LoadError, NoSuchUser } from '~/ui/states';
import { UserForm } from './UserForm';
import { type FormValues, patchOf, valuesOf } from './values';

export function EditUser() {
  const { t } = useI18n();
  const { username } = useParams({ from: '/users/$username/edit' });
  // Not what another page has read: whoever saves must have begun with what is true. And not read again while he types.
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
      {query.isPending && <Lines count={6} height={56} />}
      {query.data && <Form key={query.data.username} user={query.data} />}
    </Page>
  );
}

function Form({ user }: { user: User }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const { done } = useNotify();
  // What the administrator began with. A later answer of the server does not change what he types.
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
