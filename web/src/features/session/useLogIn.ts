import { type FormEvent, useEffect, useState } from 'react';
import { ApiError } from '~/api/problem';
import { logIn } from '~/api/session';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { useErrorText } from '~/ui/errors';

/** The state of a login form: name, password, errors, and the countdown after too many attempts. */
export function useLogIn(fixedName?: string) {
  const { t, locale } = useI18n();
  const errorText = useErrorText();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [tried, setTried] = useState(false);
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(Date.now());

  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  useEffect(() => {
    if (seconds === 0) return;
    // Set again after each look at the clock, also if the second is still the same.
    const timer = setTimeout(() => setNow(Date.now()), now + 1000 - Date.now());
    return () => clearTimeout(timer);
  }, [seconds, now]);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const name = fixedName ?? username.trim();
    setTried(true);
    if (name === '' || password === '' || seconds > 0) return;
    setBusy(true);
    setFailure(null);
    try {
      await logIn(name, password);
    } catch (error) {
      setFailure(error);
      setPassword('');
      if (error instanceof ApiError && error.status === 429 && error.retryAfter) {
        setNow(Date.now());
        setUntil(Date.now() + error.retryAfter * 1000);
      }
    } finally {
      setBusy(false);
    }
  }

  function message(): string | null {
    if (seconds > 0) return t('login.wait', { count: seconds, formatted: formatNumber(seconds, locale) });
    if (failure === null) return null;
    if (failure instanceof ApiError && failure.status === 401) return t('login.wrong');
    if (failure instanceof ApiError && failure.status === 429) return null;
    return errorText(failure);
  }

  const empty = (value: string) => (tried && failure === null && value === '' ? t('login.empty') : null);
  return {
    username,
    setUsername,
    password,
    setPassword,
    busy,
    blocked: seconds > 0,
    submit,
    message: message(),
    usernameError: empty(username),
    passwordError: empty(password),
  };
}
