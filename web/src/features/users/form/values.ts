/** What the form of a user holds, how it is checked, and what is sent of it. */
import type { NewUser, User, UserPatch } from '~/api/client';
import type { Messages } from '~/i18n';
import { joinBytes, splitBytes, type Unit } from '~/lib/bytes';
import { nameFault } from '~/lib/names';
import { fromPicker, toPicker } from '~/lib/time';

export type Fault = keyof Messages['fault'];
export type Reset = User['reset_strategy'];

export interface FormValues {
  username: string;
  /** Empty for none, as in the fields below. */
  limit: string;
  unit: Unit;
  /** "2027-01-31 23:59:59" in the reader's zone. */
  expire: string | null;
  connections: string;
  addresses: string;
  reset: Reset;
  note: string;
}

export const EMPTY: FormValues = {
  username: '',
  limit: '',
  unit: 'GiB',
  expire: null,
  connections: '',
  addresses: '',
  reset: 'none',
  note: '',
};

/** Names of the API's fields in the form, so that its errors find their place. */
export const FIELD_OF: Record<string, keyof FormValues> = {
  username: 'username',
  data_limit: 'limit',
  expire_at: 'expire',
  max_connections: 'connections',
  max_unique_ips: 'addresses',
  reset_strategy: 'reset',
  note: 'note',
};

const text = (value: number | null | undefined) => String(value ?? '');

export function valuesOf(user: User): FormValues {
  const size = user.data_limit === null ? null : splitBytes(user.data_limit);
  return {
    username: user.username,
    limit: text(size?.value),
    unit: size?.unit ?? 'GiB',
    expire: user.expire_at === null ? null : toPicker(user.expire_at),
    connections: text(user.max_connections),
    addresses: text(user.max_unique_ips),
    reset: user.reset_strategy,
    note: user.note,
  };
}

function countFault(value: string): Fault | null {
  if (value === '') return null;
  if (!(Number(value) >= 1)) return 'positive';
  return Number.isSafeInteger(Number(value)) ? null : 'tooLarge';
}

/** What is wrong with which field, before anything is sent. */
export function faultsOf(values: FormValues): Partial<Record<keyof FormValues, Fault>> {
  const faults: Partial<Record<keyof FormValues, Fault | null>> = {
    username: values.username === '' ? 'required' : nameFault(values.username),
    connections: countFault(values.connections),
    addresses: countFault(values.addresses),
    expire: values.expire !== null && fromPicker(values.expire) === null ? 'date' : null,
    note: [...values.note].length > 1000 ? 'noteLong' : null,
  };
  if (values.limit !== '' && joinBytes(Number(values.limit), values.unit) === null) {
    faults.limit = Number(values.limit) >= 1 ? 'tooLarge' : 'positive';
  }
  const found = Object.entries(faults).filter(([, fault]) => fault);
  return Object.fromEntries(found) as Partial<Record<keyof FormValues, Fault>>;
}

const count = (value: string) => (value === '' ? null : Number(value));

export function bodyOf(values: FormValues): NewUser {
  return {
    username: values.username,
    data_limit: values.limit === '' ? null : joinBytes(Number(values.limit), values.unit),
    expire_at: values.expire === null ? null : fromPicker(values.expire),
    max_connections: count(values.connections),
    max_unique_ips: count(values.addresses),
    reset_strategy: values.reset,
    note: values.note,
  };
}

/**
 * Only what the administrator changed: fields that he left alone keep what somebody else may have set meanwhile, and
 * figures that the form cannot hold exactly stay exact.
 */
export function patchOf(before: FormValues, after: FormValues): UserPatch {
  const [old, fresh] = [bodyOf(before), bodyOf(after)];
  const fields = [
    'data_limit',
    'expire_at',
    'max_connections',
    'max_unique_ips',
    'reset_strategy',
    'note',
  ] as const;
  return Object.fromEntries(
    fields.filter((field) => old[field] !== fresh[field]).map((field) => [field, fresh[field]]),
  );
}
