import { Alert } from '@mantine/core';
import { dismissReuse, useReuse } from '~/api/session';
import { useI18n } from '~/i18n';
import { Moment } from '~/ui/values';

/** Warns after a login that somebody else may have used a login session of this account. */
export function ReuseNotice() {
  const { t } = useI18n();
  const at = useReuse();
  if (at === null) return null;
  return (
    <Alert
      color="red"
      role="alert"
      mb="md"
      title={t('login.reuseTitle')}
      withCloseButton
      closeButtonLabel={t('common.close')}
      onClose={dismissReuse}
    >
      <Moment at={at} />. {t('login.reuse')}
    </Alert>
  );
}
