import { useCallback } from 'react';
import { ApiError } from '~/api/problem';
import { useI18n } from '~/i18n';

/** Returns the text of an error in the reader's language, or the server's English text if there is none. */
export function useErrorText() {
  const { t } = useI18n();
  return useCallback(
    (error: unknown): string => {
      if (typeof error === 'string') return error;
      if (!(error instanceof ApiError)) return t('error.other', { detail: String(error) });
      const { code, detail, fields, requestId, status } = error;
      switch (code) {
        case 'network':
        case 'unavailable':
        case 'database_unavailable':
        case 'not_found':
        case 'forbidden':
        case 'unauthorized':
        case 'fresh_login_required':
        case 'too_many_requests':
          return t(`error.${code}`);
        case 'internal':
          return t('error.internal', { id: requestId ?? '?' });
        case 'conflict':
          return t('error.conflict', { detail });
        case 'invalid': {
          const list = Object.entries(fields).map(([field, message]) => `${field} ${message}`);
          return t('error.invalid', { detail: list.join('; ') || detail });
        }
        default:
          return t('error.other', { detail: `${status} ${detail}` });
      }
    },
    [t],
  );
}
