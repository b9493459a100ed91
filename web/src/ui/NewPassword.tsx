import { Button, PasswordInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useI18n } from '~/i18n';
import { generatePassword } from '~/lib/names';
import css from './NewPassword.module.css';

/** What is wrong with a new password, or null. */
export function passwordFault(password: string): 'passwordShort' | 'passwordLong' | null {
  const length = [...password].length;
  return length < 10 ? 'passwordShort' : length > 128 ? 'passwordLong' : null;
}

/** The user name of a form with a password, for password managers. */
export const HiddenName = ({ value }: { value: string }) => (
  <input
    className="visually-hidden"
    name="username"
    autoComplete="username"
    value={value}
    readOnly
    tabIndex={-1}
    aria-hidden
  />
);

interface Props {
  hint: string;
  value?: string;
  onChange: (value: string) => void;
  error?: ReactNode;
}

/** A field for a new password. A generated one is shown, because it has to be passed on. */
export function NewPassword({ hint, value = '', onChange, error }: Props) {
  const { t } = useI18n();
  const [visible, setVisible] = useState(false);
  return (
    <div className={css.row}>
      <PasswordInput
        className={css.input}
        label={t('admins.newPassword')}
        description={hint}
        autoComplete="new-password"
        dir="ltr"
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={error}
        visible={visible}
        onVisibilityChange={setVisible}
      />
      <Button
        variant="subtle"
        size="compact-sm"
        onClick={() => {
          onChange(generatePassword());
          setVisible(true);
        }}
      >
        {t('common.generate')}
      </Button>
    </div>
  );
}
