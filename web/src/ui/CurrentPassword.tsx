import { PasswordInput } from '@mantine/core';
import { ApiError } from '~/api/problem';
import { useI18n } from '~/i18n';

/** Whether the login is too long ago, so that the administrator's own password must be sent with the request. */
export const needsPassword = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'fresh_login_required';

interface Props {
  value: string;
  onChange: (value: string) => void;
  /** Whether the last one was wrong. */
  wrong: boolean;
}

/** The own password of whoever asks for something that a stolen session must not do. */
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
