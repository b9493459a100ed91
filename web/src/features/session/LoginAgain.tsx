import { Alert, Button, Group, Modal, PasswordInput, Stack } from '@mantine/core';
import { type Admin, abandonSession } from '~/api/session';
import { useI18n } from '~/i18n';
import { HiddenName } from '~/ui/NewPassword';
import { useLogIn } from './useLogIn';

/** The login over a page whose login session has ended. The page and what was typed into it stay. */
export function LoginAgain({ admin }: { admin: Admin }) {
  const { t } = useI18n();
  const form = useLogIn(admin.username);

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
          <HiddenName value={admin.username} />
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
            <Button variant="subtle" onClick={abandonSession}>
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
