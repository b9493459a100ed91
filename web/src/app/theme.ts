import { createTheme, type MantineColorScheme } from '@mantine/core';
import { recall, remember } from '~/lib/preferences';

/** What components compute by themselves; colours and fonts are in theme.css. */
export const theme = createTheme({
  primaryColor: 'indigo',
  cursorType: 'pointer',
  respectReducedMotion: true,
  // By name, because whoever imports the components here has them in the first load.
  components: {
    // The lock would insert a <style>; theme.css does it by a selector.
    Modal: { defaultProps: { lockScroll: false, centered: true } },
    Popover: { defaultProps: { transitionProps: { duration: 100 } } },
    // The placeholder is no menu item, and a menu may hold nothing else.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
  },
});

const systemIsDark = () => window.matchMedia('(prefers-color-scheme: dark)').matches;

/** Before the first paint, so that nobody is dazzled. */
export function startTheme(): void {
  const scheme = recall<MantineColorScheme>('theme', 'auto');
  const shown = scheme === 'auto' ? (systemIsDark() ? 'dark' : 'light') : scheme;
  document.documentElement.dataset.mantineColorScheme = shown;
}

/** Where Mantine keeps the choice. */
export const schemeManager = {
  get: (otherwise: MantineColorScheme) => recall<MantineColorScheme>('theme', otherwise),
  set: (scheme: MantineColorScheme) => remember('theme', scheme),
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => remember('theme', 'auto'),
};
