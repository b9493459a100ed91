import { useI18n } from '~/i18n';

const TASKS = ['config_sync', 'scrape', 'enforcement', 'retention'] as const;

/** Returns the name of a task of the panel in the reader's language. */
export function useTaskName() {
  const { t } = useI18n();
  return (name: string): string => {
    const known = TASKS.find((task) => task === name);
    return known ? t(`task.${known}`) : name;
  };
}
