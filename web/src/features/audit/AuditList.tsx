import { keepPreviousData } from '@tanstack/react-query';
import { $api, type AuditEntry, poll } from '~/api/client';
import { useI18n } from '~/i18n';
import { LoadError, LoadingLines, Notice } from '~/ui/states';
import { Moment } from '~/ui/values';
import css from './Audit.module.css';
import { changesOf, useActionName } from './changes';
import type { AuditFilters } from './filters';

interface AuditQuery {
  filters: Pick<AuditFilters, 'actor' | 'action' | 'target'>;
  offset?: number;
  limit: number;
}

/** Actors that are not administrators, as the API names them, and the texts that stand for them. */
const NAMELESS = new Map<string, 'audit.nobody' | 'audit.commandLine' | 'audit.panel'>([
  ['-', 'audit.nobody'],
  ['command line', 'audit.commandLine'],
  ['the panel', 'audit.panel'],
]);

/** The actions that match the filters. */
export function useAudit({ filters, offset = 0, limit }: AuditQuery) {
  const { actor, action, target } = filters;
  const params = {
    offset,
    limit,
    ...(actor ? { actor } : {}),
    ...(action ? { action } : {}),
    ...(target ? { target } : {}),
  };
  return $api.useQuery(
    'get',
    '/api/audit',
    { params: { query: params } },
    { placeholderData: keepPreviousData, ...poll(30) },
  );
}

/** A page of the actions that match the filters. */
export function AuditList(query: AuditQuery) {
  const { t } = useI18n();
  const audit = useAudit(query);
  if (audit.isPending) return <LoadingLines count={8} />;
  if (!audit.data) return <LoadError error={audit.error} onRetry={() => void audit.refetch()} />;
  if (audit.data.entries.length === 0) {
    return <Notice title={t('audit.emptyTitle')} hint={t('audit.emptyHint')} />;
  }
  return <Entries entries={audit.data.entries} />;
}

/** A list of actions; `compact` leaves out their target. */
export function Entries({ entries, compact = false }: { entries: AuditEntry[]; compact?: boolean }) {
  return (
    <ol className={css.list}>
      {entries.map((entry) => (
        <Entry key={entry.id} entry={entry} compact={compact} />
      ))}
    </ol>
  );
}

function Entry({ entry, compact }: { entry: AuditEntry; compact: boolean }) {
  const { t } = useI18n();
  const actionName = useActionName();
  const changes = changesOf(entry);
  const nameless = NAMELESS.get(entry.actor);
  const actor = nameless ? t(nameless) : entry.actor;
  return (
    <li className={css.entry}>
      <div className={css.line}>
        <strong>{actionName(entry.action)}</strong>
        {!compact && entry.target !== null && <bdi>{entry.target}</bdi>}
        <span className={css.who}>
          <bdi>{actor}</bdi>
          {entry.address !== null && (
            <>
              {' · '}
              <bdi className="mono">{entry.address}</bdi>
            </>
          )}
          {' · '}
          <Moment at={entry.at} as={compact ? 'relative' : 'full'} />
        </span>
      </div>
      {changes.length > 0 && (
        <details className={css.changes}>
          <summary>{t('audit.show')}</summary>
          <div className={css.scroll}>
            <table dir="ltr">
              <thead>
                <tr>
                  {(['field', 'before', 'after'] as const).map((column) => (
                    <th key={column} scope="col">
                      <bdi>{t(`audit.${column}`)}</bdi>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {changes.map(({ field, before, after }) => (
                  <tr key={field}>
                    <th scope="row">{field}</th>
                    <td>{before}</td>
                    <td>{after}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </li>
  );
}
