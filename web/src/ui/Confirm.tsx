import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import { piece } from './piece';
import type { Question } from './question';

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
