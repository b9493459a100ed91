import { CloseButton, Kbd, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useI18n } from '~/i18n';
import css from './SearchInput.module.css';

/** Milliseconds between two searches while somebody is typing. */
const INTERVAL = 80;

/** Searches while somebody is typing: at once at the first key, then at most once per interval. */
export function SearchInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useI18n();
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const sentAt = useRef(Number.NEGATIVE_INFINITY);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wantsFocus = useRouterState({ select: (state) => state.location.hash === 'search' });
  const input = useRef<HTMLInputElement>(null);

  // The URL changed by other means, such as "clear" or the browser's back button.
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (wantsFocus) input.current?.focus();
  }, [wantsFocus]);

  function type(next: string, isFinal = false) {
    setText(next);
    clearTimeout(timer.current);
    const send = () => {
      sentAt.current = performance.now();
      sent.current = next.trim();
      onChange(sent.current);
    };
    const wait = isFinal ? 0 : sentAt.current + INTERVAL - performance.now();
    if (wait <= 0) send();
    else timer.current = setTimeout(send, wait);
  }

  return (
    <TextInput
      ref={input}
      type="search"
      className={css.search}
      classNames={{ input: css.input ?? '' }}
      aria-label={t('users.search')}
      placeholder={t('users.search')}
      maxLength={100}
      autoComplete="off"
      spellCheck={false}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        text ? (
          <CloseButton size="sm" aria-label={t('users.clearSearch')} onClick={() => type('', true)} />
        ) : (
          <Kbd size="xs" className={css.key} aria-hidden>
            /
          </Kbd>
        )
      }
      value={text}
      onChange={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        if (text) type('', true);
        else event.currentTarget.blur();
      }}
    />
  );
}
