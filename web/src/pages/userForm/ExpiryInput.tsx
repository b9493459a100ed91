import { Button } from '@mantine/core';
import { DateTimePicker } from '@mantine/dates';
import '@mantine/dates/styles.css';
import 'dayjs/locale/fa';
import 'dayjs/locale/ru';
import type { ReactNode } from 'react';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { addDays, formatMoment, formatRelative, fromPicker, toPicker, zoneName } from '~/lib/time';
import { useNow } from '~/ui/useNow';
import css from './UserForm.module.css';

const PRESETS = [7, 30, 90];

interface Props {
  value: string | null;
  onChange: (value: string | null) => void;
  error: ReactNode;
}

/** The end of a user's time, in the administrator's zone. Presets count from now or, if he has time left, from its end. */
export function ExpiryInput({ value, onChange, error }: Props) {
  const { t, language, locale } = useI18n();
  const now = useNow();
  const end = value === null ? null : fromPicker(value);
  const isPast = end !== null && Date.parse(end) <= now;

  function add(days: number) {
    const from = end !== null && !isPast ? new Date(end) : new Date();
    onChange(toPicker(addDays(from, days)));
  }

  return (
    <div>
      <DateTimePicker
        label={t('form.expire')}
        description={t('form.expireHint', { zone: t('common.zone', { zone: zoneName() }) })}
        placeholder={t('common.endless')}
        valueFormat="YYYY-MM-DD HH:mm"
        locale={language}
        firstDayOfWeek={language === 'fa' ? 6 : 1}
        weekendDays={language === 'fa' ? [5] : [0, 6]}
        // Days of other months would have to be grey, and too pale to read.
        hideOutsideDates
        popoverProps={{ attributes: { dropdown: { 'aria-label': t('form.expire') } } }}
        clearable
        clearButtonProps={{ 'aria-label': t('common.endless') }}
        value={value}
        onChange={onChange}
        error={error}
        submitButtonProps={{ 'aria-label': t('common.save') }}
        timePickerProps={{
          format: '24h',
          withDropdown: false,
          hoursInputLabel: t('form.hours'),
          minutesInputLabel: t('form.minutes'),
        }}
        ariaLabels={{
          nextMonth: t('form.nextMonth'),
          previousMonth: t('form.previousMonth'),
          nextYear: t('form.nextYear'),
          previousYear: t('form.previousYear'),
        }}
      />
      <div className={css.presets}>
        {PRESETS.map((days) => (
          <Button key={days} size="compact-sm" variant="default" onClick={() => add(days)}>
            {t('form.plusDays', { formatted: formatNumber(days, locale) })}
          </Button>
        ))}
        <Button size="compact-sm" variant="default" onClick={() => onChange(null)}>
          {t('common.endless')}
        </Button>
      </div>
      {end !== null && (
        <div className={css.local} data-past={isPast || undefined} aria-live="polite">
          {formatMoment(end, locale)} · {formatRelative(end, now, locale)}
          {isPast && <div>{t('form.expirePast')}</div>}
        </div>
      )}
    </div>
  );
}
