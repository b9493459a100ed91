import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import { piece } from './piece';

export interface Question {
  /** Names the object: "Delete alice?" */
  title: string;
  body: ReactNode;
  /** The deed as a word: "Delete", not "OK". */
  action: string;
  danger?: boolean;
  /**
   * Done while the dialog waits; it stays open with the reason if this fails. If the reason is that the login is too long
   * ago, the dialog asks for the administrator's own password and runs it again with it.
   */
  run: (currentPassword?: string) => Promise<unknown>;
}

// Nothing is asked at the first paint, so dialogs are not part of it.
export const ConfirmDialog = piece(() => import('./ConfirmDialog').then((module) => module.ConfirmDialog));

const Context = createContext<(question: Question) => void>(() => {});

/** Asks before something that cannot be taken back. */
export const useConfirm = () => useContext(Context);

export function ConfirmProvider({ children }: { children: ReactNode }) {
  const [question, setQuestion] = useState<Question | null>(null);
  const [opened, setOpened] = useState(false);

  const ask = useCallback((next: Question) => {
    setQuestion(next);
    setOpened(true);
  }, []);

  return (
    <Context value={ask}>
      {children}
      {question && <ConfirmDialog question={question} opened={opened} onClose={() => setOpened(false)} />}
    </Context>
  );
}
