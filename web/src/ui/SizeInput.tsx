import { NativeSelect } from '@mantine/core';
import type { ReactNode } from 'react';
import { useI18n } from '~/i18n';
import { UNITS, type Unit } from '~/lib/bytes';
import { NumberField } from './NumberField';
import css from './SizeInput.module.css';

interface Props {
  label: string;
  description?: string;
  value: string;
  unit: Unit;
  onChange: (value: string, unit: Unit) => void;
  error?: ReactNode;
  placeholder?: string;
}

/** A field for a size with its unit; may be empty. */
export function SizeInput({ label, description, value, unit, onChange, error, placeholder }: Props) {
  const { t } = useI18n();
  return (
    <div className={css.size}>
      <NumberField
        className={css.number}
        label={label}
        description={description}
        placeholder={placeholder}
        value={value}
        onChange={(next) => onChange(next, unit)}
        decimal
        error={error}
      />
      <NativeSelect
        className={css.unit}
        aria-label={`${label}: ${t('form.unit')}`}
        value={unit}
        data={[...UNITS]}
        onChange={(event) => onChange(value, event.currentTarget.value as Unit)}
      />
    </div>
  );
}
