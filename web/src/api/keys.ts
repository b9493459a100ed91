/**
 * The keys under which TanStack Query keeps answers. `$api` names its own: method, path and parameters. Those that a
 * page looks for by key, or asks for without `$api`, are named here.
 */
import type { QueryKey } from '@tanstack/react-query';
import { $api } from './client';

const TRAFFIC = '/api/system/traffic';
const USER_TRAFFIC = '/api/users/{username}/traffic';

export const keys = {
  /** Every page of the list of administrators. */
  admins: ['get', '/api/admins'] as const,
  user: (username: string) =>
    $api.queryOptions('get', '/api/users/{username}', { params: { path: { username } } }).queryKey,
  /** The user that a form began with, apart from the user that pages show. */
  editedUser: (username: string) => ['edit', username] as const,
  bulkPreview: (body: object) => ['bulk-preview', body] as const,
  /** A history of traffic: of a user, or of all users if `username` is absent. */
  traffic: (name: string, username?: string) =>
    ['get', username === undefined ? TRAFFIC : USER_TRAFFIC, username, name] as const,
};

/** Whether an answer changes when a user does: users, figures of the system, and the audit log. */
export const dependsOnUsers = ([, path]: QueryKey): boolean =>
  typeof path === 'string' && /^\/api\/(users|system|audit)/.test(path);
