import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useI18n } from '~/i18n';
import { LanguageSelect } from '~/ui/LanguageSelect';
import css from './Login.module.css';
import { useLogIn } from './useLogIn';

/** The page of the login. */
export function Login() {
  const { t } = useI18n();
  const form = useLogIn();
  useDocumentTitle(`${t('login.title')} · ${t('app.name')}`);
  return (
    <main className={css.page}>
      <form className={css.card} onSubmit={(event) => void form.submit(event)} noValidate>
        <div className={css.brand}>
          <img src="./favicon.svg" alt="" width={40} height={40} />
          <div>
            <h1 className={css.title}>{t('app.name')}</h1>
            <div className="dim small">{t('app.tagline')}</div>
          </div>
        </div>
        <Stack gap="md">
          {form.message && (
            <Alert color="red" role="alert">
              {form.message}
            </Alert>
          )}
          <TextInput
            label={t('login.username')}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            size="md"
            dir="ltr"
            autoFocus
            value={form.username}
            onChange={(event) => form.setUsername(event.currentTarget.value)}
            error={form.usernameError}
          />
          <PasswordInput
            label={t('login.password')}
            name="password"
            autoComplete="current-password"
            size="md"
            value={form.password}
            onChange={(event) => form.setPassword(event.currentTarget.value)}
            error={form.passwordError}
          />
          <Button type="submit" size="md" fullWidth loading={form.busy} disabled={form.blocked}>
            {t('login.submit')}
          </Button>
        </Stack>
      </form>
      <LanguageSelect compact />
    </main>
  );
}
