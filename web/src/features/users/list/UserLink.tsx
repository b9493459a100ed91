import { useRouter } from '@tanstack/react-router';
import type { MouseEvent, ReactNode } from 'react';
import { base } from '~/lib/base';

interface Props {
  username: string;
  className?: string | undefined;
  children?: ReactNode;
}

/**
 * A link to a user's page. The router's own `Link` watches the URL and computes its target at each change, which takes
 * most of the time of a keystroke in a list of two hundred users.
 */
export function UserLink({ username, className, children }: Props) {
  const router = useRouter();

  function press(event: MouseEvent) {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void router.navigate({ to: '/users/$username', params: { username } });
  }

  return (
    <a
      href={`${base}/users/${encodeURIComponent(username)}`}
      className={className}
      title={username}
      onClick={press}
    >
      {children ?? <bdi>{username}</bdi>}
    </a>
  );
}
