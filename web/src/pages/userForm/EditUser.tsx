import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { $api, api, type User } from '~/api/client';
import { ApiError } from '~/api/problem';
import { useI18n } from '~/i18n';
import { useNotify } from '~/ui/notify';
import { Page } from '~/ui/Page';
import { Lines, LoadError, Notice } from '~/ui/states';
import { refreshUsers } from '../users/useUserActions';
import { UserForm } from './UserForm';
import { type FormValues, patchOf, valuesOf } from './values';

export function EditUser() {
  const { t } = useI18n();
  const { username } = useParams({ from: '/users/$username/edit' });
  // Always fresh, and not asked for again while somebody types.
  const query = $api.useQuery(
    'get',
    '/api/users/{username}',
    { params: { path: { username } } },
    { refetchOnWindowFocus: false, staleTime: 0 },
  );
  if (query.error instanceof ApiError && query.error.status === 404) {
    return (
      <Notice isPage title={t('missing.user')} hint={t('missing.userHint')}>
        <Link to="/users">{t('missing.toUsers')}</Link>
      </Notice>
    );
  }
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

  async function save(values: FormValues) {
    const body = patchOf(initial, values);
    if (Object.keys(body).length > 0) {
      const { data } = await api.PUT('/api/users/{username}', { params: { path: params }, body });
      done(t('action.saved', { name: user.username }), data?.config_sync);
      void refreshUsers();
    }
    await navigate({ to: '/users/$username', params, replace: true });
  }

  return (
    <UserForm
      initial={initial}
      isNew={false}
      submitLabel={t('common.save')}
      onSubmit={save}
      onCancel={() => void navigate({ to: '/users/$username', params })}
    />
  );
}
