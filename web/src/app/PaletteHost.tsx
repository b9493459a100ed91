import { useEffect, useState } from 'react';
import { piece } from '~/ui/piece';
import { providePalette } from './palette';

// The palette is loaded when it is opened for the first time.
const Palette = piece(() => import('./Palette').then((module) => module.Palette));

export function PaletteHost() {
  const [wanted, setWanted] = useState(0);
  useEffect(() => providePalette(() => setWanted((count) => count + 1)), []);
  if (wanted === 0) return null;
  return <Palette wanted={wanted} />;
}
