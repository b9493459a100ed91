/** Statuses of a user, in the order in which they are shown. */
export const STATUSES = ['active', 'limited', 'expired', 'disabled'] as const;
export type Status = (typeof STATUSES)[number];
