const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The shortcut of the palette, as the keys are called on this device. */
export const PALETTE_KEY = isMac ? '⌘K' : 'Ctrl+K';
