import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '~/features/audit/changes';
import { WARNINGS } from '~/features/dashboard/useWarningText';
import { RANGES } from '~/features/traffic/history';
import { COUNT_FIELDS } from '~/features/users/form/values';
import { COLUMNS } from '~/features/users/shared/columns';
import en from '~/i18n/en.json';
import fa from '~/i18n/fa.json';
import ru from '~/i18n/ru.json';
import { STATUSES } from '~/lib/status';

const SOURCE = join(process.cwd(), 'src');
const PLURAL = /_(zero|one|two|few|many|other)$/;

function flatten(messages: object, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(messages).flatMap(([key, value]) =>
      typeof value === 'string' ? [[prefix + key, value] as const] : [...flatten(value, `${prefix}${key}.`)],
    ),
  );
}

const languages = { en: flatten(en), ru: flatten(ru), fa: flatten(fa) };
const base = (keys: Iterable<string>) => new Set([...keys].map((key) => key.replace(PLURAL, '')));
const holes = (text: string) => [...new Set(text.match(/\{\{\w+\}\}/g) ?? [])].sort();

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !/\.test\.|schema\.d\.ts/.test(name))
  .map((name) => ({ name, text: readFileSync(join(SOURCE, name), 'utf8') }));

/** Keys that the code puts together: by their prefix, all that may follow it. */
const DYNAMIC: Record<string, readonly string[]> = {
  'audit.': ['actor', 'target', 'field', 'before', 'after'],
  'auditAction.': ACTIONS.map((action) => action.replace('.', '_')),
  'bulk.': ['enable', 'disable', 'add_days', 'add_bytes', 'reset_usage', 'delete'],
  'column.': ['username', ...COLUMNS],
  'dashboard.': [...RANGES, 'today'],
  'error.': [
    'network',
    'unavailable',
    'database_unavailable',
    'not_found',
    'forbidden',
    'unauthorized',
    'fresh_login_required',
    'too_many_requests',
  ],
  // Errors of names, passwords and the form of a user.
  'fault.':
    'characters date long noteLong passwordLong passwordShort positive required reserved short tooLarge'.split(
      ' ',
    ),
  'form.': COUNT_FIELDS,
  'reset.': ['none', 'daily', 'weekly', 'monthly'],
  'settings.': ['auto', 'light', 'dark', 'external', 'embedded'],
  'status.': STATUSES,
  'task.': ['config_sync', 'scrape', 'enforcement', 'retention'],
  'warning.': WARNINGS,
};

/**
 * The keys in the code: complete ones such as 'a.b', and the prefixes of those that it puts together, such as `a.${x}`.
 */
function findUsedKeys() {
  const keys = new Set<string>();
  const prefixes = new Set<string>();
  for (const { text } of files) {
    for (const [, key] of text.matchAll(/'([a-zA-Z]+\.[A-Za-z0-9_.]+)'/g)) keys.add(key ?? '');
    for (const [, prefix] of text.matchAll(/t\(`([a-zA-Z]+\.)\$\{/g)) prefixes.add(prefix ?? '');
  }
  return { keys, prefixes: [...prefixes].sort() };
}

describe.each(['ru', 'fa'] as const)('%s', (language) => {
  it('has every key of English and no other', () => {
    const [wanted, there] = [base(languages.en.keys()), base(languages[language].keys())];
    expect([...wanted].filter((key) => !there.has(key))).toEqual([]);
    expect([...there].filter((key) => !wanted.has(key))).toEqual([]);
  });

  it('has the same placeholders as English', () => {
    for (const [key, text] of languages[language]) {
      const english = languages.en.get(key) ?? languages.en.get(key.replace(PLURAL, '_other')) ?? '';
      expect({ key, holes: holes(text) }).toEqual({ key, holes: holes(english) });
    }
  });
});

it.each(Object.entries(languages))('%s has every plural form of its language', (language, messages) => {
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const plurals = new Set(
    [...messages.keys()].filter((key) => PLURAL.test(key)).map((key) => key.replace(PLURAL, '')),
  );
  for (const key of plurals) {
    expect(forms.filter((form) => !messages.has(`${key}_${form}`)).map((form) => `${key}_${form}`)).toEqual(
      [],
    );
  }
});

it('has no text that the code does not use', () => {
  const { keys, prefixes } = findUsedKeys();
  expect(prefixes).toEqual(Object.keys(DYNAMIC));
  for (const prefix of prefixes) for (const end of DYNAMIC[prefix] ?? []) keys.add(prefix + end);
  const dead = [...languages.en.keys()].filter((key) => !keys.has(key) && !keys.has(key.replace(PLURAL, '')));
  expect(dead).toEqual([]);
});

/** Attributes whose text people see or hear. */
const SPOKEN = new Set([
  'label',
  'title',
  'placeholder',
  'aria-label',
  'description',
  'alt',
  'hint',
  'error',
]);
const hasWords = (text: string) => /\p{L}{2,}/u.test(text);

it('has no text for people in the code', () => {
  const found: string[] = [];
  for (const { name, text } of files.filter((file) => file.name.endsWith('.tsx'))) {
    const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    const visit = (node: ts.Node): void => {
      if (ts.isJsxText(node) && hasWords(node.text)) found.push(`${name}: ${node.text.trim()}`);
      if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText()) && node.initializer) {
        if (ts.isStringLiteral(node.initializer) && hasWords(node.initializer.text)) {
          found.push(`${name}: ${node.getText()}`);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  expect(found).toEqual([]);
});
