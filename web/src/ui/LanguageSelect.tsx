import { NativeSelect } from '@mantine/core';
import { chooseLanguage, LANGUAGE_NAMES, LANGUAGES, type Language, useI18n } from '~/i18n';

/** Chooses the language of the interface. */
export function LanguageSelect({ compact = false }: { compact?: boolean }) {
  const { t, language } = useI18n();
  const name = t('settings.language');
  return (
    <NativeSelect
      {...(compact ? { 'aria-label': name } : { label: name })}
      value={language}
      data={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))}
      onChange={(event) => void chooseLanguage(event.currentTarget.value as Language)}
    />
  );
}
