import { Button, Group, Modal } from '@mantine/core';
import { useI18n } from '~/i18n';

/** Asks before changes are lost. */
export function LeaveDialog({ onLeave, onStay }: { onLeave: () => void; onStay: () => void }) {
  const { t } = useI18n();
  return (
    <Modal opened onClose={onStay} withCloseButton={false} title={<strong>{t('form.unsaved')}</strong>}>
      <p>{t('form.unsavedBody')}</p>
      <Group justify="flex-end">
        <Button variant="default" onClick={onStay} data-autofocus>
          {t('form.stay')}
        </Button>
        <Button color="red" onClick={onLeave}>
          {t('form.leave')}
        </Button>
      </Group>
    </Modal>
  );
}
