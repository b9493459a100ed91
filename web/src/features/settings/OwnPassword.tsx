import { Button, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { api } from '~/api/client';
import { ApiError, fieldErrors } from '~/api/problem';
import { logIn, useAdmin } from '~/api/session';
import { useI18n } from '~/i18n';
import { useErrorText } from '~/ui/errors';
import { HiddenName, NewPassword, passwordFault } from '~/ui/NewPassword';
import { useNotify } from '~/ui/notify';

/** Whether the current password was wrong, or was not checked because of too many attempts. */
const isAboutCurrent = (failure: unknown): failure is ApiError =>
  failure instanceof ApiError && ['fresh_login_required', 'too_many_requests'].includes(failure.code);

/** Changes the administrator's own password. */
export function OwnPassword() {
  const { t } = useI18n();
  const { username } = useAdmin();
  const { done } = useNotify();
  const errorText = useErrorText();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [errors, setErrors] = useState<{ current?: string; password?: string }>({});
  const [busy, setBusy] = useState(false);

  async function submit() {
    const fault = passwordFault(password);
    setErrors({
      ...(current === '' && { current: t('fault.required') }),
      ...(fault && { password: t(`fault.${fault}`) }),
    });
    if (current === '' || fault) return;
    setBusy(true);
    try {
      // The current password is required, so that nobody can take over the account from a page left open.
      const body = { password, current_password: current };
      await api.PUT('/api/admins/{username}', { params: { path: { username } }, body });
      // The change has ended this login session, too; the new password was just typed, so log in with it.
      await logIn(username, password);
      setCurrent('');
      setPassword('');
      done(t('settings.passwordChanged'));
    } catch (failure) {
      if (isAboutCurrent(failure)) {
        const isWrong = failure.code === 'fresh_login_required';
        setErrors({ current: isWrong ? t('settings.passwordWrong') : errorText(failure) });
      } else {
        setErrors({ password: fieldErrors(failure, ['password']).fields.password ?? errorText(failure) });
      }
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      noValidate
    >
      <HiddenName value={username} />
      <PasswordInput
        label={t('settings.passwordCurrent')}
        autoComplete="current-password"
        dir="ltr"
        mb="sm"
        value={current}
        onChange={(event) => setCurrent(event.currentTarget.value)}
        error={errors.current}
      />
      <NewPassword
        hint={t('settings.passwordHint')}
        value={password}
        onChange={setPassword}
        error={errors.password}
      />
      <Button type="submit" variant="default" loading={busy} mt="sm">
        {t('admins.password')}
      </Button>
    </form>
  );
}
