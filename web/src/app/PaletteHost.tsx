import { lazy, Suspense, useEffect, useState } from 'react';

// The palette is loaded when it is opened for the first time.
const Palette = lazy(() => import('./Palette').then((module) => ({ default: module.Palette })));

let open: (() => void) | undefined;

export const openPalette = (): void => open?.();

export function PaletteHost() {
  const [wanted, setWanted] = useState(0);
  useEffect(() => {
    open = () => setWanted((count) => count + 1);
    return () => {
      open = undefined;
    };
  }, []);
  if (wanted === 0) return null;
  return (
    <Suspense fallback={null}>
      <Palette wanted={wanted} />
    </Suspense>
  );
}
