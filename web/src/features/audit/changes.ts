import type { AuditEntry } from '~/api/client';
import { type Messages, useI18n } from '~/i18n';

/** The actions that this page has texts for. */
export const ACTIONS = [
  'user.create',
  'user.update',
  'user.delete',
  'user.reset_usage',
  'user.regenerate_secret',
  'user.status',
  'user.show_links',
  'user.show_qr',
  'user.list',
  'users.enable',
  'users.disable',
  'users.add_days',
  'users.add_bytes',
  'users.reset_usage',
  'users.delete',
  'users.import',
  'panel.import',
  'admin.create',
  'admin.update',
  'admin.delete',
  'admin.login',
  'admin.login_failed',
  'admin.login_refused',
  'admin.logout',
  'admin.log_out_everywhere',
  'admin.token_reuse',
  'admin.list',
  'system.show_settings',
  'system.show_metrics',
  'config.render',
  'database.backup',
] as const;

type ActionKey = keyof Messages['auditAction'];

/** Returns an action's name in the reader's language; an action that is newer than this page keeps its API name. */
export function useActionName() {
  const { t } = useI18n();
  return (action: string): string => {
    const known = ACTIONS.find((each) => each === action);
    return known ? t(`auditAction.${known.replace('.', '_') as ActionKey}`) : action;
  };
}

const toText = (value: unknown): string =>
  value === undefined
    ? '–'
    : value === null
      ? 'null'
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);

/** The fields that an action changed, with their values as texts. */
export function changesOf({ before, after }: Pick<AuditEntry, 'before' | 'after'>) {
  const [old, fresh] = [before ?? {}, after ?? {}] as Record<string, unknown>[];
  const fields = [...new Set([...Object.keys(old ?? {}), ...Object.keys(fresh ?? {})])];
  return fields.map((field) => ({ field, before: toText(old?.[field]), after: toText(fresh?.[field]) }));
}
