import type { Stats } from '~/api/client';
import { useI18n } from '~/i18n';
import { formatDuration, formatRelative } from '~/lib/time';
import { Card } from '~/ui/Page';
import { useNow } from '~/ui/useNow';
import { useTaskName } from '~/ui/useTaskName';
import css from './Dashboard.module.css';

/** Codes of warnings that mean that the proxy's traffic is not counted. */
const UNCOUNTED = ['counters_missing', 'counters_switched_off'];

/** The state of the proxy and of its file, in words, with the cause of what is wrong. */
export function ProxyCard({ stats }: { stats: Stats }) {
  const { t, locale } = useI18n();
  const now = useNow();
  const taskName = useTaskName();
  const { proxy, config_sync, uptime } = stats;
  const scraped = proxy.scraped_at ? formatRelative(proxy.scraped_at, now, locale) : null;
  const written = stats.config_written_at && formatRelative(stats.config_written_at, now, locale);
  const refused = proxy.config_failed_at && formatRelative(proxy.config_failed_at, now, locale);
  const isPending = config_sync.state === 'pending';
  // The states of these two tasks have texts of their own below.
  const failing = stats.tasks.filter(
    ({ name, failing }) => failing && name !== 'scrape' && name !== 'config_sync',
  );

  // The proxy answers in this case, and a warning says what its answer lacks.
  const isUncounted = stats.warnings.some(({ code }) => UNCOUNTED.includes(code));
  const headline = {
    ok: t('dashboard.running'),
    unreachable: isUncounted ? t('dashboard.uncounted') : t('dashboard.unreachable'),
    unknown: t('dashboard.notScraped'),
  }[proxy.state];
  const isWell =
    proxy.config_accepted !== false &&
    !proxy.suppressed &&
    !isPending &&
    failing.length === 0 &&
    stats.warnings.every(({ level }) => level === 'info');
  const level = proxy.state === 'ok' && !isWell ? 'warn' : proxy.state;

  return (
    <Card title={t('dashboard.proxy')}>
      <div className={css.state} data-level={level}>
        {headline}
      </div>
      <ul className={css.remarks}>
        {proxy.state === 'ok' && uptime !== null && (
          <li>{t('dashboard.uptime', { duration: formatDuration(uptime, locale) })}</li>
        )}
        {proxy.state === 'unknown' && <li>{t('dashboard.notScrapedHint')}</li>}
        {proxy.state === 'unreachable' && (scraped || !isUncounted) && (
          <li>
            {scraped
              ? t(isUncounted ? 'dashboard.uncountedSince' : 'dashboard.unreachableSince', { when: scraped })
              : t('dashboard.neverReached')}
          </li>
        )}
        {proxy.failure && !isUncounted && <li>{t('dashboard.cause', { detail: proxy.failure })}</li>}
        {proxy.suppressed && <li data-warn>{t('dashboard.suppressed')}</li>}
        {proxy.config_accepted === false && <li data-warn>{t('dashboard.rejected')}</li>}
        {refused && <li>{t('dashboard.rejectedAt', { when: refused })}</li>}
        {proxy.config_failure && <li>{t('dashboard.cause', { detail: proxy.config_failure })}</li>}
        {isPending ? (
          <>
            <li data-warn>{t('dashboard.filePending')}</li>
            {written && <li>{t('dashboard.fileLastWritten', { when: written })}</li>}
            {config_sync.detail && <li>{t('dashboard.cause', { detail: config_sync.detail })}</li>}
          </>
        ) : (
          <li>{written ? t('dashboard.fileWritten', { when: written }) : t('dashboard.fileUnchanged')}</li>
        )}
        {failing.map((task) => (
          <li key={task.name} data-warn>
            {t('dashboard.taskFailed', { task: taskName(task.name), detail: task.failure ?? '' })}
          </li>
        ))}
        {proxy.state === 'ok' && scraped && <li>{t('dashboard.scraped', { when: scraped })}</li>}
        {proxy.version && <li>{t('dashboard.version', { version: proxy.version })}</li>}
      </ul>
    </Card>
  );
}
