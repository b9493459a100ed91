import { useCallback, useMemo, useState } from 'react';

/** The selected users, and the functions that change the selection. */
export interface Selection {
  /** The users that are selected by name. */
  names: ReadonlySet<string>;
  /** Whether all users who match are selected, also those on other pages. */
  isAllMatching: boolean;
  has: (name: string) => boolean;
  set: (names: string[], selected: boolean) => void;
  selectAllMatching: (shown: string[]) => void;
  clear: () => void;
}

const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * The selected users of the list. Selected names stay while paging, searching and filtering. "All who match" ends with
 * another search or filter (`scope`), and when a user is unselected.
 */
export function useSelection(scope: string): Selection {
  const [names, setNames] = useState(NO_NAMES);
  const [isAllMatching, setIsAllMatching] = useState(false);
  const [lastScope, setLastScope] = useState(scope);
  if (scope !== lastScope) {
    setLastScope(scope);
    setIsAllMatching(false);
  }

  const set = useCallback((changed: string[], selected: boolean) => {
    if (!selected) setIsAllMatching(false);
    setNames((before) => {
      const after = new Set(before);
      for (const name of changed) {
        if (selected) after.add(name);
        else after.delete(name);
      }
      return after;
    });
  }, []);
  const selectAllMatching = useCallback(
    (shown: string[]) => {
      // The shown users are also selected by name, so that unselecting one of them keeps the others.
      set(shown, true);
      setIsAllMatching(true);
    },
    [set],
  );
  const clear = useCallback(() => {
    setIsAllMatching(false);
    setNames(NO_NAMES);
  }, []);
  return useMemo(
    () => ({
      names,
      isAllMatching,
      has: (name) => isAllMatching || names.has(name),
      set,
      selectAllMatching,
      clear,
    }),
    [names, isAllMatching, set, selectAllMatching, clear],
  );
}
