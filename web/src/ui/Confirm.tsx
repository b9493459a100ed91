import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';
import { lazyComponent } from './lazy';
import type { Question } from './question';

// Not needed for the first paint, so it is loaded later.
export const ConfirmDialog = lazyComponent(() =>
  import('./ConfirmDialog').then((module) => module.ConfirmDialog),
);

const Context = createContext<(question: Question) => void>(() => {});

/** Returns the function that asks for confirmation before an action. */
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
