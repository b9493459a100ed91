import {
  Button,
  Group,
  Kbd,
  type MantineColorScheme,
  SegmentedControl,
  useMantineColorScheme,
} from '@mantine/core';
import { $api, poll } from '~/api/client';
import { logOutEverywhere, useAdmin } from '~/api/session';
import { useLogOut } from '~/features/session/useLogOut';
import { useI18n } from '~/i18n';
import { base } from '~/lib/base';
import { PALETTE_KEY } from '~/lib/keyboard';
import { formatDuration, zoneName } from '~/lib/time';
import { Age } from '~/ui/Age';
import { useConfirm } from '~/ui/Confirm';
import { LanguageSelect } from '~/ui/LanguageSelect';
import { Card, Facts, Page } from '~/ui/Page';
import { LoadError, LoadingLines } from '~/ui/states';
import { useTaskName } from '~/ui/useTaskName';
import { Moment } from '~/ui/values';
import { OwnPassword } from './OwnPassword';

export function Settings() {
  const { t } = useI18n();
  const { is_sudo } = useAdmin();
  return (
    <Page title={t('settings.title')} narrow>
      <Appearance />
      <Account />
      <Card title={t('settings.passwordTitle')}>
        <OwnPassword />
      </Card>
      <System />
      {is_sudo && <Configured />}
      <Shortcuts />
      <Card title={t('settings.about')}>
        <div>{t('settings.aboutText')}</div>
        <a href={`${base}/api/docs`} target="_blank" rel="noreferrer">
          {t('settings.apiDocs')}
        </a>
      </Card>
    </Page>
  );
}

const SCHEMES: MantineColorScheme[] = ['auto', 'light', 'dark'];

function Appearance() {
  const { t } = useI18n();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  return (
    <Card title={t('settings.appearance')}>
      <LanguageSelect />
      <div>
        <div id="theme-label">{t('settings.theme')}</div>
        <SegmentedControl
          aria-labelledby="theme-label"
          value={colorScheme}
          onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}
          data={SCHEMES.map((value) => ({ value, label: t(`settings.${value}`) }))}
        />
      </div>
      <div className="dim small">{t('common.zone', { zone: zoneName() })}</div>
    </Card>
  );
}

function Account() {
  const { t } = useI18n();
  const admin = useAdmin();
  const confirm = useConfirm();
  const logOut = useLogOut();

  const everywhere = () =>
    confirm({
      title: t('login.everywhere'),
      body: t('login.everywhereBody', { name: admin.username }),
      action: t('login.everywhere'),
      danger: true,
      run: logOutEverywhere,
    });

  return (
    <Card title={t('settings.account')}>
      <Facts
        rows={[
          [t('login.username'), <bdi key="name">{admin.username}</bdi>],
          [t('settings.role'), t(admin.is_sudo ? 'admins.sudo' : 'admins.plain')],
        ]}
      />
      <Group gap="xs">
        <Button variant="default" onClick={() => void logOut()}>
          {t('settings.logOutHere')}
        </Button>
        <Button variant="outline" color="red" onClick={everywhere}>
          {t('login.everywhere')}
        </Button>
      </Group>
    </Card>
  );
}

/** Versions and tasks of the panel. */
function System() {
  const { t } = useI18n();
  const taskName = useTaskName();
  const stats = $api.useQuery('get', '/api/system/stats', {}, poll(30));
  const { data } = stats;
  return (
    <Card title={t('settings.system')}>
      {stats.isPending && <LoadingLines />}
      {stats.isError && !data && <LoadError error={stats.error} onRetry={() => void stats.refetch()} />}
      {data && (
        <Facts
          rows={[
            [t('settings.panelVersion'), data.panel.version],
            [t('settings.proxyVersion'), data.proxy.version ?? t('common.unknown')],
            [t('settings.address'), <bdi key="address">{base}</bdi>],
            ...data.tasks.map((task): [string, React.ReactNode] => [
              taskName(task.name),
              task.failing ? (
                <span key={task.name} style={{ color: 'var(--bad)' }}>
                  {t('settings.taskFailing')}: {task.failure}
                </span>
              ) : (
                <Moment key={task.name} at={task.last_success} otherwise={t('settings.taskNever')} />
              ),
            ]),
          ]}
        />
      )}
      {data && <Age />}
    </Card>
  );
}

/** The panel's configuration, which changes only when the panel is restarted. */
function Configured() {
  const { t, locale } = useI18n();
  const settings = $api.useQuery('get', '/api/system/settings', {}, { staleTime: 60_000 });
  const { data } = settings;
  return (
    <Card title={t('settings.configured')}>
      <div className="dim small">{t('settings.configuredHint')}</div>
      {settings.isPending && <LoadingLines />}
      {settings.isError && !data && (
        <LoadError error={settings.error} onRetry={() => void settings.refetch()} />
      )}
      {data && (
        <Facts
          rows={[
            [t('settings.proxyAddress'), <Code key="a" text={`${data.proxy_host}:${data.proxy_port}`} />],
            [t('settings.tlsDomain'), <Code key="d" text={data.tls_domain} />],
            [t('settings.proxyKind'), t(`settings.${data.proxy}`)],
            [t('settings.configPath'), <Code key="p" text={data.config_path} />],
            [t('settings.database'), data.database === 'sqlite' ? 'SQLite' : 'PostgreSQL'],
            [t('settings.scrapeInterval'), formatDuration(data.scrape_interval_seconds, locale)],
            [t('settings.tokenLifetime'), formatDuration(data.token_lifetime_seconds, locale)],
          ]}
        />
      )}
    </Card>
  );
}

const Code = ({ text }: { text: string }) => (
  <bdi className="mono small" dir="ltr" style={{ overflowWrap: 'anywhere' }}>
    {text}
  </bdi>
);

function Shortcuts() {
  const { t } = useI18n();
  const keys = [
    [PALETTE_KEY, t('settings.keyPalette')],
    ['/', t('settings.keySearch')],
    ['N', t('settings.keyNew')],
    ['Esc', t('settings.keyClose')],
  ] as const;
  return (
    <Card title={t('settings.shortcuts')}>
      <Facts rows={keys.map(([key, what]) => [what, <Kbd key={key}>{key}</Kbd>])} />
    </Card>
  );
}
