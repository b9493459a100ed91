import { IconDots } from '@tabler/icons-react';
import { type ComponentProps, lazy, Suspense, useState } from 'react';
import { useI18n } from '~/i18n';
import css from './Users.module.css';

const UserMenu = lazy(() => import('./UserMenu').then((module) => ({ default: module.UserMenu })));

/** The menu of a user. A list has two hundred of them and mostly none is opened, so each is made when it is. */
export function UserMenuButton(props: ComponentProps<typeof UserMenu>) {
  const { t } = useI18n();
  const [wanted, setWanted] = useState(false);
  const button = (
    <button
      type="button"
      className={css.iconButton}
      aria-label={t('users.actions', { name: props.user.username })}
      aria-haspopup="menu"
      onClick={() => setWanted(true)}
    >
      <IconDots size={18} aria-hidden />
    </button>
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <UserMenu {...props} defaultOpened />
    </Suspense>
  );
}
