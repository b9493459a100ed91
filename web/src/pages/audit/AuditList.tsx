import { keepPreviousData } from '@tanstack/react-query';
import { $api, type AuditEntry, poll } from '~/api/client';
import { useI18n } from '~/i18n';
import { Lines, LoadError, Notice } from '~/ui/states';
import { Moment } from '~/ui/values';
import css from './Audit.module.css';
import { changesOf, useActionName } from './changes';

interface Filters {
  actor?: string | undefined;
  action?: string | undefined;
  target?: string | undefined;
}

interface Props {
  filters: Filters;
  offset?: number;
  limit: number;
  compact?: boolean;
}

export function useAudit({ filters, offset = 0, limit }: Omit<Props, 'compact'>) {
  const { actor, action, target } = filters;
  const query = {
    offset,
    limit,
    ...(actor ? { actor } : {}),
    ...(action ? { action } : {}),
    ...(target ? { target } : {}),
  };
  return $api.useQuery(
    'get',
    '/api/audit',
    { params: { query } },
    { placeholderData: keepPreviousData, ...poll(30) },
  );
}

export function AuditList(props: Props) {
  const { t } = useI18n();
  const audit = useAudit(props);
  if (audit.isPending) return <Lines count={props.compact ? 3 : 8} />;
  if (!audit.data) return <LoadError error={audit.error} onRetry={() => void audit.refetch()} />;
  if (audit.data.entries.length === 0) {
    if (props.compact) return <div className="dim">{t('user.auditEmpty')}</div>;
    return <Notice title={t('audit.emptyTitle')} hint={t('audit.emptyHint')} />;
  }
  return (
    <ol className={css.list}>
      {audit.data.entries.map((entry, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: entries have no id, and two of a second may be alike
        <Entry key={`${entry.at} ${index}`} entry={entry} compact={props.compact ?? false} />
      ))}
    </ol>
  );
}

function Entry({ entry, compact }: { entry: AuditEntry; compact: boolean }) {
  const { t } = useI18n();
  const actionName = useActionName();
  const changes = changesOf(entry);
  const actor =
    entry.actor === '-'
      ? t('audit.nobody')
      : entry.actor === 'command line'
        ? t('audit.commandLine')
        : entry.actor;
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
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('audit.field')}</th>
                  <th scope="col">{t('audit.before')}</th>
                  <th scope="col">{t('audit.after')}</th>
                </tr>
              </thead>
              <tbody>
                {changes.map(({ field, before, after }) => (
                  <tr key={field} dir="ltr">
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
