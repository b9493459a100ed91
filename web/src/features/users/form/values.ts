/** The values of the form of a user: from the API's user, checked, and as requests to the API. */
import type { NewUser, User, UserPatch } from '~/api/client';
import type { Messages } from '~/i18n';
import { joinBytes, splitBytes, type Unit } from '~/lib/bytes';
import { nameFault } from '~/lib/names';
import { fromPicker, toPicker } from '~/lib/time';

export type Fault = keyof Messages['fault'];
export type Reset = User['reset_strategy'];

/** Limits that are plain numbers: the form's field, which also names its label, and the API's. */
const COUNTS = { connections: 'max_connections', addresses: 'max_unique_ips' } as const;
export type Count = keyof typeof COUNTS;
export const COUNT_FIELDS = Object.keys(COUNTS) as Count[];

/** An object with an entry for each of these limits. */
function ofCounts<T>(value: (field: Count) => T): Record<Count, T> {
  return Object.fromEntries(COUNT_FIELDS.map((field) => [field, value(field)])) as Record<Count, T>;
}

/** Limits are empty where there is none. */
export interface FormValues extends Record<Count, string> {
  username: string;
  limit: string;
  unit: Unit;
  /** "2027-01-31 23:59:59" in the local time zone; null for no expiry. */
  expire: string | null;
  reset: Reset;
  note: string;
}

/** The form of a new user. */
export const EMPTY: FormValues = {
  username: '',
  limit: '',
  unit: 'GiB',
  expire: null,
  ...ofCounts(() => ''),
  reset: 'none',
  note: '',
};

/** The form's field for each field of the API, so that the API's errors are shown at the right field. */
export const FIELD_OF: Record<string, keyof FormValues> = {
  username: 'username',
  data_limit: 'limit',
  expire_at: 'expire',
  ...Object.fromEntries(COUNT_FIELDS.map((field) => [COUNTS[field], field])),
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
    ...ofCounts((field) => toText(user[COUNTS[field]])),
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
    ...ofCounts((field) => countFault(values[field])),
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
    ...Object.fromEntries(COUNT_FIELDS.map((field) => [COUNTS[field], toCount(values[field])])),
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
  const fields = ['data_limit', 'expire_at', ...Object.values(COUNTS), 'reset_strategy', 'note'] as const;
  return Object.fromEntries(
    fields.filter((field) => old[field] !== fresh[field]).map((field) => [field, fresh[field]]),
  );
}
