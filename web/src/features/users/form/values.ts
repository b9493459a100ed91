/** The values of the form of a user: from the API's user, checked, and as requests to the API. */
import type { NewUser, User, UserPatch } from '~/api/client';
import type { Messages } from '~/i18n';
import { joinBytes, splitBytes, type Unit } from '~/lib/bytes';
import { nameFault } from '~/lib/names';
import { fromPicker, toPicker } from '~/lib/time';

export type Fault = keyof Messages['fault'];
export type Reset = User['reset_strategy'];

export interface FormValues {
  username: string;
  /** Empty for no limit, as in the fields below. */
  limit: string;
  unit: Unit;
  /** "2027-01-31 23:59:59" in the local time zone; null for no expiry. */
  expire: string | null;
  connections: string;
  addresses: string;
  reset: Reset;
  note: string;
}

/** The form of a new user. */
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

/** The form's field for each field of the API, so that the API's errors are shown at the right field. */
export const FIELD_OF: Record<string, keyof FormValues> = {
  username: 'username',
  data_limit: 'limit',
  expire_at: 'expire',
  max_connections: 'connections',
  max_unique_ips: 'addresses',
  reset_strategy: 'reset',
  note: 'note',
};

const toText = (value: number | null | undefined) => String(value ?? '');

/** The form of an existing user. */
export function valuesOf(user: User): FormValues {
  const size = user.data_limit === null ? null : splitBytes(user.data_limit);
  return {
    username: user.username,
    limit: toText(size?.value),
    unit: size?.unit ?? 'GiB',
    expire: user.expire_at === null ? null : toPicker(user.expire_at),
    connections: toText(user.max_connections),
    addresses: toText(user.max_unique_ips),
    reset: user.reset_strategy,
    note: user.note,
  };
}

function countFault(value: string): Fault | null {
  if (value === '') return null;
  if (!(Number(value) >= 1)) return 'positive';
  return Number.isSafeInteger(Number(value)) ? null : 'tooLarge';
}

/** The fields that are not valid, checked before anything is sent. */
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

/** A limit from its field; empty means none. */
const toCount = (value: string) => (value === '' ? null : Number(value));

/** The request that creates the user. */
export function bodyOf(values: FormValues): NewUser {
  return {
    username: values.username,
    data_limit: values.limit === '' ? null : joinBytes(Number(values.limit), values.unit),
    expire_at: values.expire === null ? null : fromPicker(values.expire),
    max_connections: toCount(values.connections),
    max_unique_ips: toCount(values.addresses),
    reset_strategy: values.reset,
    note: values.note,
  };
}

/**
 * The request that updates the user: only the fields that were changed in the form. The others keep what somebody else
 * may have set meanwhile, and numbers that the form cannot represent exactly stay exact.
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
