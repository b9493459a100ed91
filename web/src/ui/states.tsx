import { Alert, Button, Skeleton } from '@mantine/core';
import { IconAlertCircle, IconCloudOff, IconLock } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ApiError } from '~/api/problem';
import { useI18n } from '~/i18n';
import { useErrorText } from './errors';
import css from './states.module.css';

interface NoticeProps {
  title: string;
  hint?: ReactNode;
  icon?: ReactNode;
  /** Stands alone, not within a page that has a title. */
  isPage?: boolean;
  children?: ReactNode;
}

/** What a page shows instead of its content, and what to do about it. */
export function Notice({ title, hint, icon, isPage = false, children }: NoticeProps) {
  return (
    <div className={css.notice}>
      {icon && <div className={css.icon}>{icon}</div>}
      {isPage ? <h1 className={css.title}>{title}</h1> : <h2 className={css.title}>{title}</h2>}
      {hint && <p className={css.hint}>{hint}</p>}
      {children}
    </div>
  );
}

export function PagePending() {
  const { t } = useI18n();
  return (
    <div className={css.pending} role="status" aria-label={t('common.loading')}>
      <Skeleton height={28} width={180} />
      <Skeleton height={120} />
      <Skeleton height={240} />
    </div>
  );
}

export function Lines({ count = 4, height = 20 }: { count?: number; height?: number }) {
  const { t } = useI18n();
  return (
    <div className={css.lines} role="status" aria-label={t('common.loading')}>
      {Array.from({ length: count }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines that are all alike
        <Skeleton key={line} height={height} />
      ))}
    </div>
  );
}

/** Something could not be loaded at all. */
export function LoadError({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useI18n();
  const errorText = useErrorText();
  return (
    <Alert color="red" icon={<IconAlertCircle aria-hidden />} title={t('error.title')} role="alert">
      <p className={css.alertText}>{errorText(error)}</p>
      {onRetry && (
        <Button size="xs" variant="default" onClick={onRetry}>
          {t('common.retry')}
        </Button>
      )}
    </Alert>
  );
}

export function Denied() {
  const { t } = useI18n();
  return (
    <Notice
      isPage
      title={t('denied.title')}
      hint={t('denied.hint')}
      icon={<IconLock size={32} aria-hidden />}
    >
      <Link to="/">{t('missing.toDashboard')}</Link>
    </Notice>
  );
}

export function NotFound() {
  const { t } = useI18n();
  return (
    <Notice isPage title={t('missing.title')}>
      <Link to="/">{t('missing.toDashboard')}</Link>
    </Notice>
  );
}

/** There is no such user, or he belongs to somebody else. */
export function NoSuchUser() {
  const { t } = useI18n();
  return (
    <Notice isPage title={t('missing.user')} hint={t('missing.userHint')}>
      <Link to="/users">{t('missing.toUsers')}</Link>
    </Notice>
  );
}

/** What went wrong, in a dialog. */
export function Fault({ error }: { error: unknown }) {
  const errorText = useErrorText();
  if (!error) return null;
  return (
    <div role="alert" className={css.fault}>
      {errorText(error)}
    </div>
  );
}

/** A fault in a page of ours. */
export function PageFailed({ error }: { error: unknown }) {
  const { t } = useI18n();
  return (
    <Notice
      isPage
      title={t('error.page')}
      hint={error instanceof ApiError ? error.detail : t('error.pageHint')}
      icon={<IconCloudOff size={32} aria-hidden />}
    >
      <Button onClick={() => window.location.reload()}>{t('error.reload')}</Button>
    </Notice>
  );
}
