import { IconQrcode } from '@tabler/icons-react';
import { Cell } from '~/features/users/shared/Cell';
import iconButton from '~/features/users/shared/iconButton.module.css';
import { UsageBar } from '~/features/users/shared/UsageBar';
import { UserMenuButton } from '~/features/users/shared/UserMenuButton';
import { useI18n } from '~/i18n';
import { OnlineDot, StatusBadge, useStatusReason } from '~/ui/StatusBadge';
import { UserLink } from './UserLink';
import css from './Users.module.css';
import type { ListProps } from './UserTable';

/** The list on a narrow screen. */
export function UserCards({ users, columns, selection, onQr }: ListProps) {
  const { t } = useI18n();
  const reason = useStatusReason();
  const facts = columns.filter(
    (column) => column !== 'status' && column !== 'data_used' && column !== 'note',
  );
  return (
    <ul className={css.cards}>
      {users.map((user) => {
        const { username } = user;
        return (
          <li key={username} className={css.card} data-selected={selection.has(username) || undefined}>
            <div className={css.cardHead}>
              <input
                type="checkbox"
                className={css.box}
                aria-label={t('users.select', { name: username })}
                checked={selection.has(username)}
                onChange={(event) => selection.set([username], event.currentTarget.checked)}
              />
              <span className={css.name}>
                <OnlineDot online={user.online} />
                <UserLink username={username} className={css.nameLink} />
              </span>
              <StatusBadge status={user.status} />
            </div>
            {reason(user) && <div className="dim small">{reason(user)}</div>}
            {user.note && (
              <div className={css.note}>
                <bdi>{user.note}</bdi>
              </div>
            )}
            <UsageBar used={user.data_used} limit={user.data_limit} />
            <div className={css.cardFoot}>
              <dl className={css.cardFacts}>
                {facts.map((column) => (
                  <div key={column}>
                    <dt>{t(`column.${column}`)}</dt>
                    <dd>
                      <Cell user={user} column={column} />
                    </dd>
                  </div>
                ))}
              </dl>
              <div className={css.rowActions}>
                <button
                  type="button"
                  className={iconButton.button}
                  aria-label={`${t('action.qr')}: ${username}`}
                  onClick={() => onQr(username)}
                >
                  <IconQrcode size={18} aria-hidden />
                </button>
                <UserMenuButton user={user} />
              </div>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
