import { Alert, Button, Group, Modal, PasswordInput, Stack } from '@mantine/core';
import { queryClient } from '~/api/client';
import { type Admin, abandonSession } from '~/api/session';
import { useI18n } from '~/i18n';
import { useLogIn } from './useLogIn';

/** Over a page whose session has ended: the page and what was typed into it stay. */
export function LoginAgain({ admin }: { admin: Admin }) {
  const { t } = useI18n();
  const form = useLogIn(admin.username);

  function leave() {
    abandonSession();
    queryClient.clear();
  }

  return (
    <Modal
      opened
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={<strong>{t('login.again')}</strong>}
      zIndex={400}
    >
      <form onSubmit={(event) => void form.submit(event)} noValidate>
        <Stack gap="md">
          <div>{t('login.againHint')}</div>
          {form.message && (
            <Alert color="red" role="alert">
              {form.message}
            </Alert>
          )}
          {/* Password managers look for a name beside the password. */}
          <input
            className="visually-hidden"
            name="username"
            autoComplete="username"
            value={admin.username}
            readOnly
            tabIndex={-1}
            aria-hidden
          />
          <PasswordInput
            label={`${t('login.password')} (${admin.username})`}
            name="password"
            autoComplete="current-password"
            data-autofocus
            value={form.password}
            onChange={(event) => form.setPassword(event.currentTarget.value)}
            error={form.passwordError}
          />
          <Group justify="space-between">
            <Button variant="subtle" onClick={leave}>
              {t('login.another')}
            </Button>
            <Button type="submit" loading={form.busy} disabled={form.blocked}>
              {t('login.submit')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
