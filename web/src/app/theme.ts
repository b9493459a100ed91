import { createTheme, type MantineColorScheme } from '@mantine/core';
import { recall, remember } from '~/lib/preferences';

/** Mantine's settings that components read in JavaScript; colours and fonts are in theme.css. */
export const theme = createTheme({
  primaryColor: 'indigo',
  cursorType: 'pointer',
  respectReducedMotion: true,
  // By name: importing the components here would put them into the first load.
  components: {
    // Mantine's scroll lock inserts a <style>, which the policy forbids; theme.css does the same by a selector.
    Modal: { defaultProps: { lockScroll: false, centered: true } },
    Popover: { defaultProps: { transitionProps: { duration: 100 } } },
    // The placeholder is not a menu item, and the role `menu` allows nothing else.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
  },
});

const systemIsDark = () => window.matchMedia('(prefers-color-scheme: dark)').matches;

/** Sets the colour scheme before the first paint, so that a dark page does not flash white. */
export function startTheme(): void {
  const scheme = recall<MantineColorScheme>('theme', 'auto');
  const shown = scheme === 'auto' ? (systemIsDark() ? 'dark' : 'light') : scheme;
  document.documentElement.dataset.mantineColorScheme = shown;
}

/** Lets Mantine keep the chosen colour scheme in this browser. */
export const schemeManager = {
  get: (otherwise: MantineColorScheme) => recall<MantineColorScheme>('theme', otherwise),
  set: (scheme: MantineColorScheme) => remember('theme', scheme),
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => remember('theme', 'auto'),
};
