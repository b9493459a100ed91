import { useEffect, useState } from 'react';
import { lazyComponent } from '~/ui/lazy';
import { providePalette } from './palette';

// Loaded when it is opened for the first time.
const Palette = lazyComponent(() => import('./Palette').then((module) => module.Palette));

/** Where the palette appears once it was opened. */
export function PaletteHost() {
  const [wanted, setWanted] = useState(0);
  useEffect(() => providePalette(() => setWanted((count) => count + 1)), []);
  if (wanted === 0) return null;
  return <Palette wanted={wanted} />;
}
