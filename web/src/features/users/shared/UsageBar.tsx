import { useI18n } from '~/i18n';
import { formatBytes, formatNumber } from '~/lib/bytes';
import css from './UsageBar.module.css';

/** "3.1 GiB / 10 GiB" above a bar; without a limit there is no bar. */
export function UsageBar({ used, limit }: { used: number; limit: number | null }) {
  const { t, locale } = useI18n();
  const share = limit === null ? 0 : Math.min(used / limit, 1);
  const level = share >= 1 ? 'full' : share >= 0.8 ? 'high' : undefined;
  const [usedText, limitText] = [
    formatBytes(used, locale),
    limit === null ? t('common.unlimited') : formatBytes(limit, locale),
  ];
  const exact = [used, limit]
    .filter((value) => value !== null)
    .map((value) => t('common.exactBytes', { formatted: formatNumber(value, locale) }));
  return (
    <div className={css.usage} title={exact.join(' / ')}>
      <div className={css.text}>
        <bdi>{usedText}</bdi> <span className="dim">/ {<bdi>{limitText}</bdi>}</span>
      </div>
      {limit !== null && (
        <div className={css.track} aria-hidden>
          <div
            className={css.fill}
            data-level={level}
            style={{ width: `${Math.max(share * 100, used > 0 ? 2 : 0)}%` }}
          />
        </div>
      )}
    </div>
  );
}
