import { Button, Group, Modal, Stack } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useI18n } from '~/i18n';
import { CurrentPassword, needsPassword } from './CurrentPassword';
import type { Question } from './question';
import { ErrorText } from './states';

interface Props {
  question: Question;
  opened: boolean;
  onClose: () => void;
}

/** Asks a question and runs its action. */
export function ConfirmDialog({ question, opened, onClose }: Props) {
  const { t } = useI18n();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [own, setOwn] = useState({ asked: false, password: '', wrong: false });

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new question starts without the error of the last one
  useEffect(() => {
    setError(null);
    setOwn({ asked: false, password: '', wrong: false });
  }, [question]);

  async function run() {
    setBusy(true);
    setError(null);
    try {
      await question.run(own.password || undefined);
      onClose();
    } catch (failure) {
      if (needsPassword(failure)) setOwn({ asked: true, password: '', wrong: own.password !== '' });
      else setError(failure);
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
        {own.asked && (
          <CurrentPassword
            value={own.password}
            wrong={own.wrong}
            onChange={(password) => setOwn({ asked: true, password, wrong: false })}
          />
        )}
        <ErrorText error={error} />
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
