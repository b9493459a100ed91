import { useI18n } from '~/i18n';
import { LoadError, LoadingLines } from '~/ui/states';
import { Entries, useAudit } from './AuditList';

/** How many actions are read, so that five are about the user even if an administrator has the same name. */
const READ = 100;
const SHOWN = 5;

/** The last actions on a user. */
export function UserAudit({ username }: { username: string }) {
  const { t } = useI18n();
  const audit = useAudit({ filters: { target: username }, limit: READ });
  if (audit.isPending) return <LoadingLines count={3} />;
  if (!audit.data) return <LoadError error={audit.error} onRetry={() => void audit.refetch()} />;
  const entries = audit.data.entries.filter(({ action }) => /^users?\./.test(action)).slice(0, SHOWN);
  if (entries.length === 0) return <div className="dim">{t('user.auditEmpty')}</div>;
  return <Entries entries={entries} compact />;
}
