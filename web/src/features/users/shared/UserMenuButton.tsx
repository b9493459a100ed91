import { IconDots } from '@tabler/icons-react';
import { useI18n } from '~/i18n';
import { lazyOnPress } from '~/ui/lazyOnPress';
import css from './iconButton.module.css';

/** The button that opens the menu of a user. */
export const UserMenuButton = lazyOnPress(
  () => import('./UserMenu').then((module) => module.UserMenu),
  function Dots({ user, onPress }) {
    const { t } = useI18n();
    return (
      <button
        type="button"
        className={css.button}
        aria-label={t('users.actions', { name: user.username })}
        aria-haspopup="menu"
        onClick={onPress}
      >
        <IconDots size={18} aria-hidden />
      </button>
    );
  },
);
