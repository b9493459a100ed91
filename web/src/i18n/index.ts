import i18next, { type TFunction } from 'i18next';
import { createContext, createElement, type ReactNode, useContext, useMemo } from 'react';
import { initReactI18next, useTranslation } from 'react-i18next';
import { recall, remember } from '~/lib/preferences';
import type en from './en.json';

export const LANGUAGES = ['en', 'ru', 'fa'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language by its own name, so that its readers recognise it. */
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

/** The reader's regional variant of a language, for numbers and dates: "18:30" in London is "6:30 PM" in Boston. */
export function localeOf(language: string): string {
  return navigator.languages.find((tag) => tag.split('-')[0]?.toLowerCase() === language) ?? language;
}

/** The language chosen in this browser, else the first of the browser's languages that is available. */
function preferredLanguage(): Language {
  const chosen = recall<string>('language', '');
  const wanted = [chosen, ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wanted.find(isLanguage) ?? 'en';
}

/** Isolates the direction of a value within a text, as <bdi> does for elements: FSI and PDI of Unicode. */
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

export async function startI18n(language: Language = preferredLanguage()): Promise<void> {
  const messages = (await LOADERS[language]()).default;
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: messages } },
    // React escapes HTML by itself. Here, escaping keeps Latin names and sizes intact within a right-to-left text.
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
  /** For numbers and dates. */
  locale: string;
  direction: 'rtl' | 'ltr';
}

const Context = createContext<I18n | null>(null);

/** Subscribes to the language once per page: react-i18next would subscribe for each of a list's thousand texts. */
export function I18nProvider({ children }: { children: ReactNode }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language as Language;
  const value = useMemo(
    () => ({ t, language, locale: localeOf(language), direction: directionOf(language) }),
    [t, language],
  );
  return createElement(Context, { value }, children);
}

/** The translator, the language and what depends on it. */
export function useI18n(): I18n {
  const value = useContext(Context);
  if (!value) throw new Error('useI18n is used outside of I18nProvider');
  return value;
}
