import { TextInput, type TextInputProps } from '@mantine/core';
import { typedCount, typedDecimal } from '~/lib/numbers';

interface Props extends Omit<TextInputProps, 'value' | 'onChange'> {
  value: string;
  onChange: (value: string) => void;
  decimal?: boolean;
}

/** A number in the digits of any keyboard; empty is none. */
export function NumberField({ value, onChange, decimal = false, ...others }: Props) {
  const read = decimal ? typedDecimal : typedCount;
  return (
    <TextInput
      {...others}
      value={value}
      onChange={(event) => onChange(read(event.currentTarget.value))}
      inputMode={decimal ? 'decimal' : 'numeric'}
      autoComplete="off"
      maxLength={20}
    />
  );
}
