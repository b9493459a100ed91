import { DateTimePicker } from '@mantine/dates';
import '@mantine/dates/styles.css';
import 'dayjs/locale/fa';
import 'dayjs/locale/ru';
import { useEffect, useRef } from 'react';
import { useI18n } from '~/i18n';
import { type ExpiryProps, useExpiryLabels } from './expiry';

/** The field with its calendar. Loaded by the first press of its button, so it starts open. */
export function ExpiryPicker({ value, onChange, error }: ExpiryProps) {
  const { t, language } = useI18n();
  const field = useRef<HTMLButtonElement>(null);
  useEffect(() => field.current?.click(), []);
  return (
    <DateTimePicker
      {...useExpiryLabels()}
      ref={field}
      valueFormat="YYYY-MM-DD HH:mm"
      locale={language}
      firstDayOfWeek={language === 'fa' ? 6 : 1}
      weekendDays={language === 'fa' ? [5] : [0, 6]}
      // Days of other months would be grey with too little contrast.
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
  );
}
