import { useEffect, useState } from 'react';
import { piece } from '~/ui/piece';

// The palette is loaded when it is opened for the first time.
const Palette = piece(() => import('./Palette').then((module) => module.Palette));

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
  return <Palette wanted={wanted} />;
}
