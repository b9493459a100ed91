import type { Stats } from '~/api/client';
import { useI18n } from '~/i18n';
import { Card } from '~/ui/Page';
import css from './Dashboard.module.css';
import { useWarningText } from './useWarningText';

/** The warnings of panel and proxy; empty if there are none. */
export function Attention({ warnings }: Pick<Stats, 'warnings'>) {
  const { t } = useI18n();
  const warningText = useWarningText();
  if (warnings.length === 0) return null;
  return (
    <Card title={t('dashboard.attention')}>
      <ul className={css.remarks}>
        {warnings.map((warning) => (
          <li key={warning.code + warning.detail} data-warn={warning.level === 'info' ? undefined : true}>
            {warningText(warning)}
          </li>
        ))}
      </ul>
    </Card>
  );
}
