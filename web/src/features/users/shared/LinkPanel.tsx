import { Button, Group } from '@mantine/core';
import { IconDownload, IconShare } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { components } from '~/api/schema';
import { useI18n } from '~/i18n';
import { CopyButton } from '~/ui/CopyButton';
import { useNotify } from '~/ui/notify';
import css from './LinkPanel.module.css';
import { download, qrCode, qrPng, qrSvg } from './qr';

interface Props {
  username: string;
  links: components['schemas']['LinksBody'];
}

/** A user's link and QR code, with buttons to copy, share and download them. */
export function LinkPanel({ username, links }: Props) {
  const { t } = useI18n();
  const { failed } = useNotify();
  const code = useMemo(() => qrCode(links.tg_link), [links.tg_link]);
  const canShare = typeof navigator.share === 'function';

  async function savePng() {
    const png = await qrPng(code);
    if (png) download(png, `${username}.png`);
  }

  async function share() {
    try {
      await navigator.share({ title: t('user.shareText'), url: links.https_link });
    } catch (error) {
      // Closing the browser's share dialog is not an error.
      if (!(error instanceof DOMException && error.name === 'AbortError')) failed(error);
    }
  }

  const icon = { size: 16, 'aria-hidden': true } as const;
  return (
    <div className={css.panel}>
      <svg
        className={css.code}
        viewBox={`0 0 ${code.size} ${code.size}`}
        role="img"
        aria-label={t('user.qr', { name: username })}
        shapeRendering="crispEdges"
      >
        <path fill="#fff" d={`M0 0h${code.size}v${code.size}H0z`} />
        <path fill="#000" d={code.path} />
      </svg>
      <div className={css.side}>
        <Group gap="xs">
          <CopyButton text={links.https_link} label={t('action.copyLink')} primary />
          {canShare && (
            <Button variant="default" leftSection={<IconShare {...icon} />} onClick={() => void share()}>
              {t('user.share')}
            </Button>
          )}
          <Button
            variant="default"
            leftSection={<IconDownload {...icon} />}
            aria-label={t('user.download', { format: t('user.downloadPng') })}
            onClick={() => void savePng()}
          >
            {t('user.downloadPng')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconDownload {...icon} />}
            aria-label={t('user.download', { format: t('user.downloadSvg') })}
            onClick={() => download(qrSvg(code), `${username}.svg`)}
          >
            {t('user.downloadSvg')}
          </Button>
        </Group>
        <LinkLine label={t('user.web')} link={links.https_link} isPage />
        {/* Opens Telegram, so it needs no new browser window. */}
        <LinkLine label={t('user.telegram')} link={links.tg_link} />
      </div>
    </div>
  );
}

function LinkLine({ label, link, isPage = false }: { label: string; link: string; isPage?: boolean }) {
  return (
    <div>
      <div className="dim small">{label}</div>
      <a className={css.link} href={link} dir="ltr" rel="noreferrer" {...(isPage && { target: '_blank' })}>
        {link}
      </a>
    </div>
  );
}
