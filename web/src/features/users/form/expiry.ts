import type { ReactNode } from 'react';
import { useI18n } from '~/i18n';
import { zoneName } from '~/lib/time';

export interface ExpiryProps {
  value: string | null;
  onChange: (value: string | null) => void;
  error: ReactNode;
}

/** The labels of the field, which are the same with its calendar and without. */
export function useExpiryLabels() {
  const { t } = useI18n();
  return {
    label: t('form.expire'),
    description: t('form.expireHint', { zone: t('common.zone', { zone: zoneName() }) }),
    placeholder: t('common.endless'),
  };
}
