import { ActionIcon } from '@mantine/core';
import {
  IconHistory,
  IconLayoutDashboard,
  IconLogout,
  IconSearch,
  IconSettings,
  IconShieldLock,
  IconUserCircle,
  IconUsers,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useAdmin } from '~/api/session';
import { ReuseNotice } from '~/features/session/ReuseNotice';
import { useLogOut } from '~/features/session/useLogOut';
import { useI18n } from '~/i18n';
import { PALETTE_KEY } from '~/lib/keyboard';
import { PaletteHost } from './PaletteHost';
import { openPalette } from './palette';
import css from './Shell.module.css';
import { useHotkeys } from './useHotkeys';

const icon = { size: 20, stroke: 1.6, 'aria-hidden': true } as const;

/** The links of the navigation that the administrator may use. */
function useLinks() {
  const { t } = useI18n();
  const { is_sudo } = useAdmin();
  const links = [
    {
      to: '/',
      label: t('nav.dashboard'),
      short: t('nav.dashboard'),
      icon: <IconLayoutDashboard {...icon} />,
      sudo: false,
    },
    {
      to: '/users',
      label: t('nav.users'),
      short: t('nav.users'),
      icon: <IconUsers {...icon} />,
      sudo: false,
    },
    {
      to: '/admins',
      label: t('nav.admins'),
      short: t('nav.adminsShort'),
      icon: <IconShieldLock {...icon} />,
      sudo: true,
    },
    {
      to: '/audit',
      label: t('nav.audit'),
      short: t('nav.auditShort'),
      icon: <IconHistory {...icon} />,
      sudo: true,
    },
    {
      to: '/settings',
      label: t('nav.settings'),
      short: t('nav.settings'),
      icon: <IconSettings {...icon} />,
      sudo: false,
    },
  ] as const;
  return links.filter((link) => is_sudo || !link.sudo);
}

/** The name of the administrator, and the button to log out. */
function Account() {
  const { t } = useI18n();
  const { username } = useAdmin();
  const logOutHere = useLogOut();
  return (
    <div className={css.account}>
      <IconUserCircle {...icon} />
      <bdi className={css.label}>{username}</bdi>
      <ActionIcon
        className={css.search}
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={t('nav.logOut')}
        title={t('nav.logOut')}
        onClick={() => void logOutHere()}
      >
        <IconLogout size={18} aria-hidden />
      </ActionIcon>
    </div>
  );
}

/** The page with its navigation: at the side, or at the bottom of a phone. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const links = useLinks();
  useHotkeys();
  return (
    <div className={css.shell}>
      <a
        className={css.skip}
        href={`${window.location.pathname}${window.location.search}#content`}
        onClick={(event) => {
          // The router would treat the fragment as another address.
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        {t('app.skip')}
      </a>
      <nav className={css.side} aria-label={t('nav.label')}>
        <div className={css.brand}>
          <img src="./favicon.svg" alt="" width={28} height={28} />
          <span>{t('app.name')}</span>
          <ActionIcon
            className={css.search}
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('nav.palette')}
            title={`${t('nav.palette')} (${PALETTE_KEY})`}
            onClick={openPalette}
          >
            <IconSearch size={18} aria-hidden />
          </ActionIcon>
        </div>
        <div className={css.nav}>
          {links.map((link) => (
            <Link
              key={link.to}
              to={link.to}
              className={css.link}
              activeOptions={{ exact: link.to === '/', includeSearch: false }}
            >
              {link.icon}
              <span className={css.label}>{link.label}</span>
              <span className={css.short}>{link.short}</span>
            </Link>
          ))}
        </div>
        <Account />
      </nav>
      <main id="content" className={css.main} tabIndex={-1}>
        <ReuseNotice />
        {children}
      </main>
      <PaletteHost />
    </div>
  );
}
