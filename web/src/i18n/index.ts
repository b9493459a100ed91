import i18next, { type TFunction } from 'i18next';
import { createContext, createElement, type ReactNode, useContext, useMemo } from 'react';
import { initReactI18next, useTranslation } from 'react-i18next';
import { recall, remember } from '~/lib/preferences';
import type en from './en.json';

export const LANGUAGES = ['en', 'ru', 'fa'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each in its own words, so that everybody finds his. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', ru: 'Русский', fa: 'فارسی' };

export type Messages = typeof en;

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: Messages };
  }
}

const LOADERS: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import('./en.json'),
  ru: () => import('./ru.json'),
  fa: () => import('./fa.json'),
};

const isLanguage = (text: string): text is Language => LANGUAGES.some((language) => language === text);

export const directionOf = (language: string): 'rtl' | 'ltr' => (language === 'fa' ? 'rtl' : 'ltr');

/** The reader's own variety of a language, for figures and dates: half past six is "18:30" in London and "6:30 PM" in Boston. */
export function localeOf(language: string): string {
  return navigator.languages.find((tag) => tag.split('-')[0]?.toLowerCase() === language) ?? language;
}

/** The one that was chosen here, else the first of the browser's that there is. */
function preferred(): Language {
  const chosen = recall<string>('language', '');
  const wanted = [chosen, ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wanted.find(isLanguage) ?? 'en';
}

/** First strong isolate, pop directional isolate: <bdi> for texts that are no elements. */
const isolate = (text: string): string =>
  directionOf(i18next.language) === 'rtl' ? `\u2068${text}\u2069` : text;

async function load(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', (await LOADERS[language]()).default);
  }
}

function describePage(language: Language): void {
  document.documentElement.lang = language;
  document.documentElement.dir = directionOf(language);
}

export async function startI18n(language: Language = preferred()): Promise<void> {
  const messages = (await LOADERS[language]()).default;
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: messages } },
    // React escapes by itself. This keeps Latin names and sizes in one piece within a text from right to left.
    interpolation: { escapeValue: true, escape: isolate },
    returnNull: false,
  });
  describePage(language);
}

export async function chooseLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  describePage(language);
  remember('language', language);
}

interface I18n {
  t: TFunction;
  language: Language;
  /** For figures and dates. */
  locale: string;
  direction: 'rtl' | 'ltr';
}

const Context = createContext<I18n | null>(null);

/** One subscription for the page: a list has a thousand texts, and react-i18next would make one for each. */
export function I18nProvider({ children }: { children: ReactNode }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language as Language;
  const value = useMemo(
    () => ({ t, language, locale: localeOf(language), direction: directionOf(language) }),
    [t, language],
  );
  return createElement(Context, { value }, children);
}

/** Translator, language and what depends on it. */
export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('texts are asked for outside of their provider');
  return value;
}
