let open: (() => void) | undefined;

/** Opens the palette, if a page that has one is shown. */
export const openPalette = (): void => open?.();

/** Says what opens the palette; answers with what takes it back. */
export function providePalette(run: () => void): () => void {
  open = run;
  return () => {
    open = undefined;
  };
}
