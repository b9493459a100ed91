import { type ComponentType, useState } from 'react';
import { lazyComponent } from './lazy';

type Button<P> = ComponentType<P & { onPress?: () => void }>;

/**
 * A menu or field that is only a button (`Closed`) until it is pressed: a list has two hundred of them, and mostly none
 * is used. The loaded component has its own button and starts open.
 */
export function lazyOnPress<P extends object>(load: () => Promise<ComponentType<P>>, Closed: Button<P>) {
  const Opened = lazyComponent(load, { pending: (props) => <Closed {...props} /> });
  return function Control(props: P) {
    const [wanted, setWanted] = useState(false);
    return wanted ? <Opened {...props} /> : <Closed {...props} onPress={() => setWanted(true)} />;
  };
}
