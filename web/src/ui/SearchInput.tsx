import { CloseButton, Kbd, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useI18n } from '~/i18n';
import css from './SearchInput.module.css';

const DELAY = 120;

/** Searches while one types, a breath after the last key. */
export function SearchInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useI18n();
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wantsFocus = useRouterState({ select: (state) => state.location.hash === 'search' });
  const input = useRef<HTMLInputElement>(null);

  // The address changed by other means, such as "clear" or the browser's back.
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

  function type(next: string, delay = DELAY) {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = next.trim();
      onChange(sent.current);
    }, delay);
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
          <CloseButton size="sm" aria-label={t('users.clearSearch')} onClick={() => type('', 0)} />
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
        if (text) type('', 0);
        else event.currentTarget.blur();
      }}
    />
  );
}
