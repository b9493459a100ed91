/** How other parts of the app open the palette. */
let open: (() => void) | undefined;

/** Opens the palette, if its host is on the page. */
export const openPalette = (): void => open?.();

/** Sets what opens the palette. Returns the function that unsets it. */
export function providePalette(run: () => void): () => void {
  open = run;
  return () => {
    open = undefined;
  };
}
