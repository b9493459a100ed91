/** Values as they are shown everywhere: short, with the exact value as a tooltip. */
import { useI18n } from '~/i18n';
import { formatBytes, formatNumber } from '~/lib/bytes';
import { formatDay, formatMoment, formatRelative, formatUtc } from '~/lib/time';
import { useNow } from './useNow';

/** A size in bytes. */
export function Bytes({ value }: { value: number }) {
  const { t, locale } = useI18n();
  return (
    <span title={t('common.exactBytes', { formatted: formatNumber(value, locale) })}>
      <bdi>{formatBytes(value, locale)}</bdi>
    </span>
  );
}

/** A count; null means unknown, which is not 0. */
export function Count({ value }: { value: number | null }) {
  const { t, locale } = useI18n();
  if (value === null) return <span title={t('common.unknown')}>–</span>;
  return <>{formatNumber(value, locale)}</>;
}

interface MomentProps {
  at: string | number | null;
  /** relative: "in 3 days"; full: date and time; day: date only. */
  as?: 'relative' | 'full' | 'day';
  /** Shown if `at` is null; "never" by default. */
  otherwise?: string;
}

/** A moment in the reader's time zone. */
export function Moment({ at, as = 'relative', otherwise }: MomentProps) {
  const { t, locale } = useI18n();
  const now = useNow();
  if (at === null) return <span className="dim">{otherwise ?? t('common.never')}</span>;
  const full = formatMoment(at, locale);
  const text = as === 'full' ? full : as === 'day' ? formatDay(at, locale) : formatRelative(at, now, locale);
  return (
    <time dateTime={new Date(at).toISOString()} title={`${full} · ${formatUtc(at)}`}>
      {text}
    </time>
  );
}
