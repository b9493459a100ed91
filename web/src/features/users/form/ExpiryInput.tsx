import { Button, Input, InputBase } from '@mantine/core';
import { useI18n } from '~/i18n';
import { formatNumber } from '~/lib/bytes';
import { addDays, formatMoment, formatRelative, fromPicker, toPicker } from '~/lib/time';
import { lazyOnPress } from '~/ui/lazyOnPress';
import { useNow } from '~/ui/useNow';
import { type ExpiryProps, useExpiryLabels } from './expiry';
import css from './UserForm.module.css';

/** Days that a button adds. */
const PRESETS = [7, 30, 90];

// The calendar is larger than the rest of the form, and is often not needed because of the presets.
const ExpiryPicker = lazyOnPress(
  () => import('./ExpiryPicker').then((module) => module.ExpiryPicker),
  function Closed({ value, error, onPress }) {
    const { placeholder, ...labels } = useExpiryLabels();
    return (
      <InputBase
        {...labels}
        component="button"
        type="button"
        pointer
        multiline
        aria-haspopup="dialog"
        onClick={onPress}
        error={error}
      >
        {value?.slice(0, 16) ?? <Input.Placeholder>{placeholder}</Input.Placeholder>}
      </InputBase>
    );
  },
);

/**
 * When a user expires, in the administrator's time zone. Presets add to the expiry date or, if that has passed, to now.
 */
export function ExpiryInput({ value, onChange, error }: ExpiryProps) {
  const { t, locale } = useI18n();
  const now = useNow();
  const end = value === null ? null : fromPicker(value);
  const isPast = end !== null && Date.parse(end) <= now;

  function add(days: number) {
    const from = end !== null && !isPast ? new Date(end) : new Date();
    onChange(toPicker(addDays(from, days)));
  }

  return (
    <div>
      <ExpiryPicker value={value} onChange={onChange} error={error} />
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
