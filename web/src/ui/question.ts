import type { ReactNode } from 'react';

/** A question before an action, and the action itself. */
export interface Question {
  /** Names the object: "Delete alice?" */
  title: string;
  body: ReactNode;
  /** The label of the button: "Delete", not "OK". */
  action: string;
  danger?: boolean;
  /**
   * Runs while the dialog waits; the dialog stays open and shows the reason if this fails. If the login is too old for
   * the action, the dialog asks for the administrator's own password and runs it again with that.
   */
  run: (currentPassword?: string) => Promise<unknown>;
}
