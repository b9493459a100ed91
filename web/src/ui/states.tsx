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
  /** Whether it is the whole page, not a part of a page with a title. */
  isPage?: boolean;
  children?: ReactNode;
}

/** Shown instead of content: what is the case, and what to do about it. */
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

/** Shown while a page loads. */
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

/** Shown while a part of a page loads. */
export function LoadingLines({ count = 4, height = 20 }: { count?: number; height?: number }) {
  const { t } = useI18n();
  return (
    <div className={css.lines} role="status" aria-label={t('common.loading')}>
      {Array.from({ length: count }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all lines are the same
        <Skeleton key={line} height={height} />
      ))}
    </div>
  );
}

/** Shown instead of data that could not be loaded. */
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

/** Shown instead of a page that the administrator may not see. */
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

/** Shown for an unknown URL. */
export function NotFound() {
  const { t } = useI18n();
  return (
    <Notice isPage title={t('missing.title')}>
      <Link to="/">{t('missing.toDashboard')}</Link>
    </Notice>
  );
}

/** Shown if there is no such user, or the user belongs to another administrator. */
export function NoSuchUser() {
  const { t } = useI18n();
  return (
    <Notice isPage title={t('missing.user')} hint={t('missing.userHint')}>
      <Link to="/users">{t('missing.toUsers')}</Link>
    </Notice>
  );
}

/** The text of an error in a dialog; nothing without an error. */
export function ErrorText({ error }: { error: unknown }) {
  const errorText = useErrorText();
  if (!error) return null;
  return (
    <div role="alert" className={css.fault}>
      {errorText(error)}
    </div>
  );
}

/** Shown if a page throws an error. */
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
