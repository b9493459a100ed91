import { useCallback, useMemo, useState } from 'react';

export interface Selection {
  names: ReadonlySet<string>;
  set: (names: string[], selected: boolean) => void;
  clear: () => void;
}

/** Names that are ticked; they stay while one pages, searches and filters. */
export function useSelection(): Selection {
  const [names, setNames] = useState<ReadonlySet<string>>(new Set());
  const set = useCallback((changed: string[], selected: boolean) => {
    setNames((before) => {
      const after = new Set(before);
      for (const name of changed) {
        if (selected) after.add(name);
        else after.delete(name);
      }
      return after;
    });
  }, []);
  const clear = useCallback(() => setNames(new Set()), []);
  return useMemo(() => ({ names, set, clear }), [names, set, clear]);
}
