import { type ComponentType, useState } from 'react';
import { piece } from './piece';

type Button<P> = ComponentType<P & { onPress?: () => void }>;

/**
 * A menu of which only the button is there until it is pressed: a list has two hundred of them, and mostly none is
 * opened. What is loaded then brings a button of its own and begins open.
 */
export function opener<P extends object>(load: () => Promise<ComponentType<P>>, Closed: Button<P>) {
  const Opened = piece(load, { pending: (props) => <Closed {...props} /> });
  return function Opener(props: P) {
    const [wanted, setWanted] = useState(false);
    return wanted ? <Opened {...props} /> : <Closed {...props} onPress={() => setWanted(true)} />;
  };
}
