import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import '@mantine/spotlight/styles.css';
import { keepPreviousData } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { $api } from '~/api/client';
import { useAdmin } from '~/api/session';
import { useLogOut } from '~/features/session/useLogOut';
import { useI18n } from '~/i18n';
import { useErrorText } from '~/ui/errors';
import { OnlineDot } from '~/ui/StatusBadge';
import css from './Palette.module.css';

const [store, spotlight] = createSpotlight();

/** Selects the first entry. Mantine does this at each key, but that is before the found users have arrived. */
function selectFirst(): void {
  const list = document.getElementById(store.getState().listId);
  list?.querySelector('[data-selected]')?.removeAttribute('data-selected');
  list?.querySelector('[data-action]')?.setAttribute('data-selected', 'true');
  store.updateState((state) => ({ ...state, selected: 0 }));
}

/** The command palette: finds users and runs commands by keyboard. It opens whenever `wanted` grows. */
export function Palette({ wanted }: { wanted: number }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const { is_sudo } = useAdmin();
  const logOut = useLogOut();
  const errorText = useErrorText();
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const scheme = useComputedColorScheme('light');
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text.trim(), 120);

  useEffect(() => {
    if (wanted > 0) spotlight.open();
  }, [wanted]);

  const users = $api.useQuery(
    'get',
    '/api/users',
    { params: { query: { search, limit: 8, sort: 'username' } } },
    { enabled: search !== '', placeholderData: keepPreviousData },
  );

  const commands = [
    { label: t('users.new'), run: () => navigate({ to: '/new-user' }) },
    { label: t('nav.dashboard'), run: () => navigate({ to: '/' }) },
    { label: t('nav.users'), run: () => navigate({ to: '/users' }) },
    ...(is_sudo
      ? [
          { label: t('nav.admins'), run: () => navigate({ to: '/admins' }) },
          { label: t('nav.audit'), run: () => navigate({ to: '/audit' }) },
        ]
      : []),
    { label: t('nav.settings'), run: () => navigate({ to: '/settings' }) },
    { label: t('palette.theme'), run: () => setColorScheme(scheme === 'dark' ? 'light' : 'dark') },
    { label: t('nav.logOut'), run: logOut },
  ].filter(({ label }) => label.toLocaleLowerCase().includes(text.trim().toLocaleLowerCase()));

  const found = search === '' ? [] : (users.data?.users ?? []);
  const isLoading = text.trim() !== search || users.isFetching;

  // Enter must open the first user, also if the answer came after the last key.
  const first = found[0]?.username;
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when another user is the first
  useEffect(() => {
    if (text !== '') selectFirst();
  }, [first]);

  return (
    <Spotlight.Root
      store={store}
      query={text}
      onQueryChange={setText}
      shortcut={null}
      lockScroll={false}
      maxHeight={420}
      scrollable
      classNames={{ actionDescription: css.description ?? '' }}
      attributes={{ content: { 'aria-label': t('nav.palette') } }}
    >
      <Spotlight.Search placeholder={t('palette.placeholder')} aria-label={t('nav.palette')} />
      <Spotlight.ActionsList>
        {found.length > 0 && (
          <Spotlight.ActionsGroup label={t('palette.users')}>
            {found.map((user) => (
              <Spotlight.Action
                key={user.username}
                label={user.username}
                description={`${t(`status.${user.status}`)}${user.note ? ` · ${user.note.slice(0, 80)}` : ''}`}
                leftSection={<OnlineDot online={user.online} />}
                onClick={() => void navigate({ to: '/users/$username', params: { username: user.username } })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {commands.length > 0 && (
          <Spotlight.ActionsGroup label={t('palette.commands')}>
            {commands.map(({ label, run }) => (
              <Spotlight.Action key={label} label={label} onClick={() => void run()} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {users.isError && search !== '' && <Spotlight.Empty>{errorText(users.error)}</Spotlight.Empty>}
        {found.length + commands.length === 0 && !users.isError && (
          <Spotlight.Empty>{t(isLoading ? 'common.loading' : 'palette.nothing')}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
