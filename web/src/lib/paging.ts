/** How many rows of a list a page may have. */
export const PAGE_SIZES = [20, 50, 100, 200] as const;
