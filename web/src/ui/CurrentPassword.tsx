import { PasswordInput } from '@mantine/core';
import { ApiError } from '~/api/problem';
import { useI18n } from '~/i18n';

/** Whether the request must be sent again with the administrator's own password, because the login is too old. */
export const needsPassword = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'fresh_login_required';

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** Whether the password was sent and was wrong. */
  wrong: boolean;
}

/** Asks for the administrator's own password, for actions that a stolen login session must not allow. */
export function CurrentPassword({ value, onChange, wrong }: Props) {
  const { t } = useI18n();
  return (
    <PasswordInput
      label={t('login.confirm')}
      description={t('login.confirmHint')}
      autoComplete="current-password"
      dir="ltr"
      data-autofocus
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={wrong ? t('settings.passwordWrong') : null}
    />
  );
}
