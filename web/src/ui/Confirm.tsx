import { Button, Group, Modal, Stack } from '@mantine/core';
import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import { useI18n } from '~/i18n';
import { useErrorText } from './errors';

interface Question {
  /** Names the object: "Delete alice?" */
  title: string;
  body: ReactNode;
  /** The deed as a word: "Delete", not "OK". */
  action: string;
  danger?: boolean;
  /** Done while the dialog waits; it stays open with the reason if this fails. */
  run: () => Promise<unknown>;
}

const Context = createContext<(question: Question) => void>(() => {});

/** Asks before something that cannot be taken back. */
export const useConfirm = () => useContext(Context);

export function ConfirmProvider({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const errorText = useErrorText();
  const [question, setQuestion] = useState<Question | null>(null);
  const [opened, setOpened] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const ask = useCallback((next: Question) => {
    setQuestion(next);
    setError(null);
    setOpened(true);
  }, []);

  async function run() {
    setBusy(true);
    setError(null);
    try {
      await question?.run();
      setOpened(false);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }

  return (
    <Context value={ask}>
      {children}
      <Modal
        opened={opened}
        onClose={() => !busy && setOpened(false)}
        title={<strong>{question?.title}</strong>}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <Stack gap="md">
          <div>{question?.body}</div>
          {error !== null && (
            <div role="alert" style={{ color: 'var(--mantine-color-error)' }}>
              {errorText(error)}
            </div>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setOpened(false)} disabled={busy} data-autofocus>
              {t('common.cancel')}
            </Button>
            <Button {...(question?.danger ? { color: 'red' } : {})} onClick={() => void run()} loading={busy}>
              {question?.action}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </Context>
  );
}
