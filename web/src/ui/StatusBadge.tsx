import { useI18n } from '~/i18n';
import { formatBytes } from '~/lib/bytes';
import type { Status } from '~/lib/status';
import { formatRelative } from '~/lib/time';
import css from './StatusBadge.module.css';

/** A user's status: a coloured dot with a word, because not everybody can tell colours apart. */
export function StatusBadge({ status, reason }: { status: Status; reason?: string | undefined }) {
  const { t } = useI18n();
  return (
    <>
      <span className={css.badge} data-status={status} title={reason}>
        {t(`status.${status}`)}
      </span>
      {reason && <span className={css.reason}>{reason}</span>}
    </>
  );
}

/** Shows whether a user is online. */
export function OnlineDot({ online }: { online: boolean }) {
  const { t } = useI18n();
  const label = online ? t('status.online') : t('status.offline');
  return (
    <span className={css.dot} data-online={online || undefined} role="img" aria-label={label} title={label} />
  );
}

interface StatusFields {
  status: Status;
  data_used: number;
  data_limit: number | null;
  expire_at: string | null;
}

/** Returns why a user is not served, or undefined. */
export function useStatusReason() {
  const { t, locale } = useI18n();
  return (user: StatusFields): string | undefined => {
    if (user.status === 'disabled') return t('reason.disabled');
    if (user.status === 'limited' && user.data_limit !== null) {
      const [used, limit] = [formatBytes(user.data_used, locale), formatBytes(user.data_limit, locale)];
      return t('reason.limited', { used, limit });
    }
    if (user.status === 'expired' && user.expire_at) {
      return t('reason.expired', { when: formatRelative(user.expire_at, Date.now(), locale) });
    }
    return undefined;
  };
}
