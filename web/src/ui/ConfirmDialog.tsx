import { Button, Group, Modal, Stack } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useI18n } from '~/i18n';
import type { Question } from './Confirm';
import { Fault } from './states';

interface Props {
  question: Question;
  opened: boolean;
  onClose: () => void;
}

export function ConfirmDialog({ question, opened, onClose }: Props) {
  const { t } = useI18n();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins without the fault of the last one
  useEffect(() => setError(null), [question]);

  async function run() {
    setBusy(true);
    setError(null);
    try {
      await question.run();
      onClose();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Modal
      opened={opened}
      onClose={() => !busy && onClose()}
      title={<strong>{question.title}</strong>}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <Stack gap="md">
        <div>{question.body}</div>
        <Fault error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} disabled={busy} data-autofocus>
            {t('common.cancel')}
          </Button>
          <Button {...(question.danger ? { color: 'red' } : {})} onClick={() => void run()} loading={busy}>
            {question.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
