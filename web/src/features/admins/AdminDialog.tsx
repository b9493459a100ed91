import { Button, Checkbox, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { api } from '~/api/client';
import { ApiError, fieldErrors } from '~/api/problem';
import type { Admin } from '~/api/session';
import { useI18n } from '~/i18n';
import { nameFault } from '~/lib/names';
import { CurrentPassword, needsPassword } from '~/ui/CurrentPassword';
import { NewPassword, passwordFault } from '~/ui/NewPassword';
import { useNotify } from '~/ui/notify';
import { ErrorText } from '~/ui/states';
import { refreshAdmins } from './refresh';

/** Creates an administrator, or gives an existing one a new password. */
export function AdminDialog({ admin, onClose }: { admin: Admin | null; onClose: () => void }) {
  const { t } = useI18n();
  const { done } = useNotify();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [own, setOwn] = useState({ asked: false, password: '', wrong: false });
  const form = useForm({
    initialValues: { username: admin?.username ?? '', password: '', is_sudo: false },
    validate: {
      username: (name) => {
        const fault = admin ? null : name === '' ? 'required' : nameFault(name);
        return fault && t(`fault.${fault}`);
      },
      password: (password) => {
        const fault = passwordFault(password);
        return fault && t(`fault.${fault}`);
      },
    },
  });

  async function submit(values: typeof form.values) {
    setBusy(true);
    setFailure(null);
    try {
      if (admin) {
        const params = { path: { username: admin.username } };
        const proof = own.password === '' ? {} : { current_password: own.password };
        const body = { password: values.password, ...proof };
        await api.PUT('/api/admins/{username}', { params, body });
        done(t('admins.passwordChanged', { name: admin.username }));
      } else {
        await api.POST('/api/admins', { body: values });
        done(t('action.created', { name: values.username }));
      }
      onClose();
      await refreshAdmins();
    } catch (error) {
      if (needsPassword(error)) setOwn({ asked: true, password: '', wrong: own.password !== '' });
      else if (error instanceof ApiError && error.status === 409)
        form.setFieldError('username', t('fault.taken'));
      else {
        const { fields, rest } = fieldErrors(error, ['username', 'password']);
        form.setErrors(fields);
        if (rest) setFailure(error);
      }
    } finally {
      setBusy(false);
    }
  }

  return (
    <Modal
      opened
      onClose={() => !busy && onClose()}
      title={<strong>{admin ? `${t('admins.password')}: ${admin.username}` : t('admins.new')}</strong>}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
        <Stack gap="md">
          <ErrorText error={failure} />
          {!admin && (
            <TextInput
              label={t('login.username')}
              description={t('form.usernameHint')}
              dir="ltr"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              maxLength={32}
              data-autofocus
              {...form.getInputProps('username')}
            />
          )}
          <NewPassword hint={t('admins.passwordHint')} {...form.getInputProps('password')} />
          {own.asked && (
            <CurrentPassword
              value={own.password}
              wrong={own.wrong}
              onChange={(password) => setOwn({ asked: true, password, wrong: false })}
            />
          )}
          {!admin && (
            <Checkbox
              label={t('admins.sudo')}
              description={form.values.is_sudo ? t('admins.sudoHint') : t('admins.plainHint')}
              {...form.getInputProps('is_sudo', { type: 'checkbox' })}
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose} disabled={busy}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={busy}>
              {admin ? t('common.save') : t('form.create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
