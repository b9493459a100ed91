import { Button } from '@mantine/core';
import { useState } from 'react';
import { api } from '~/api/client';
import { fieldErrors } from '~/api/problem';
import { logIn, useAdmin } from '~/api/session';
import { useI18n } from '~/i18n';
import { useErrorText } from '~/ui/errors';
import { NewPassword, passwordFault } from '~/ui/NewPassword';
import { useNotify } from '~/ui/notify';

export function OwnPassword() {
  const { t } = useI18n();
  const { username } = useAdmin();
  const { done } = useNotify();
  const errorText = useErrorText();
  const [password, setPassword] = useState('');
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit() {
    const fault = passwordFault(password);
    setError(fault && t(`fault.${fault}`));
    if (fault) return;
    setBusy(true);
    try {
      await api.PUT('/api/admins/{username}', { params: { path: { username } }, body: { password } });
      // The change has ended this session too; nobody needs to be asked for what he has just typed.
      await logIn(username, password);
      setPassword('');
      done(t('settings.passwordChanged'));
    } catch (failure) {
      setError(fieldErrors(failure, ['password']).fields.password ?? errorText(failure));
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
      <input
        className="visually-hidden"
        name="username"
        autoComplete="username"
        value={username}
        readOnly
        tabIndex={-1}
        aria-hidden
      />
      <NewPassword hint={t('settings.passwordHint')} value={password} onChange={setPassword} error={error} />
      <Button type="submit" variant="default" loading={busy} mt="sm">
        {t('admins.password')}
      </Button>
    </form>
  );
}
