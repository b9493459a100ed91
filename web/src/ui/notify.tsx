import { useCallback } from 'react';
import type { ConfigSync } from '~/api/client';
import { useI18n } from '~/i18n';
import { useErrorText } from './errors';
import { showMessage } from './Messages';

/** Returns functions that show messages: what was done, whether it is in the proxy's file yet, what failed. */
export function useNotify() {
  const { t } = useI18n();
  const errorText = useErrorText();
  const close = t('common.close');

  const failed = useCallback(
    (error: unknown) =>
      showMessage({
        color: 'red',
        title: t('error.title'),
        message: errorText(error),
        autoClose: 10_000,
        closeButtonProps: { 'aria-label': close },
      }),
    [t, close, errorText],
  );

  const done = useCallback(
    (message: string, sync?: Pick<ConfigSync, 'state'> & { detail?: string | null }) => {
      showMessage({ color: 'teal', message, closeButtonProps: { 'aria-label': close } });
      if (sync?.state !== 'pending') return;
      showMessage({
        color: 'orange',
        title: t('sync.pendingTitle'),
        message: t('sync.pending', { detail: sync.detail ?? '' }),
        autoClose: 15_000,
        closeButtonProps: { 'aria-label': close },
      });
    },
    [t, close],
  );

  return { done, failed };
}
