import { useCallback, useMemo, useState } from 'react';

export interface Selection {
  /** Those that are ticked by name. */
  names: ReadonlySet<string>;
  /** Whether everybody who matches is chosen, also on other pages. */
  isEveryone: boolean;
  has: (name: string) => boolean;
  set: (names: string[], selected: boolean) => void;
  setEveryone: (shown: string[]) => void;
  clear: () => void;
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Who is ticked. Names stay while one pages, searches and filters; "everybody who matches" is taken back by every other
 * search or filter, and by unticking anybody.
 */
export function useSelection(scope: string): Selection {
  const [names, setNames] = useState(NOBODY);
  const [isEveryone, setIsEveryone] = useState(false);
  const [lastScope, setLastScope] = useState(scope);
  if (scope !== lastScope) {
    setLastScope(scope);
    setIsEveryone(false);
  }

  const set = useCallback((changed: string[], selected: boolean) => {
    if (!selected) setIsEveryone(false);
    setNames((before) => {
      const after = new Set(before);
      for (const name of changed) {
        if (selected) after.add(name);
        else after.delete(name);
      }
      return after;
    });
  }, []);
  const setEveryone = useCallback(
    (shown: string[]) => {
      // Those in sight by name too, so that unticking one of them leaves the others.
      set(shown, true);
      setIsEveryone(true);
    },
    [set],
  );
  const clear = useCallback(() => {
    setIsEveryone(false);
    setNames(NOBODY);
  }, []);
  return useMemo(
    () => ({ names, isEveryone, has: (name) => isEveryone || names.has(name), set, setEveryone, clear }),
    [names, isEveryone, set, setEveryone, clear],
  );
}
