import type { Stats } from '~/api/client';
import { useI18n } from '~/i18n';

/** The warning codes that this page has texts for. */
export const WARNINGS = [
  'tls_domain_differs',
  'public_host_differs',
  'public_port_differs',
  'no_ipv6_listener',
  'trusted_proxies_too_wide',
  'tokens_live_long',
  'plain_http_is_public',
  'file_changes_replaced',
  'counters_missing',
  'counters_switched_off',
  'proxy_version_untested',
  'rule_ignored',
  'no_address_family',
  'dc_unknown',
  'dc_unreachable',
  'upstream_login',
  'upstream_unreachable',
  'clock_wrong',
] as const;

/** Returns a warning in the reader's language; one that is newer than this page keeps the server's English text. */
export function useWarningText() {
  // Each code has its own placeholders, which the types of the texts cannot express here.
  const t = useI18n().t as (key: string, values: Record<string, string>) => string;
  return ({ code, params, detail }: Stats['warnings'][number]): string => {
    const known = WARNINGS.find((each) => each === code);
    return known ? t(`warning.${known}`, params) : detail;
  };
}
