import { TextInput, type TextInputProps } from '@mantine/core';
import { cleanCount, cleanDecimal } from '~/lib/numbers';

interface Props extends Omit<TextInputProps, 'value' | 'onChange'> {
  value: string;
  onChange: (value: string) => void;
  decimal?: boolean;
}

/** A field for a number, typed in the digits of any keyboard; may be empty. */
export function NumberField({ value, onChange, decimal = false, ...others }: Props) {
  const read = decimal ? cleanDecimal : cleanCount;
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
