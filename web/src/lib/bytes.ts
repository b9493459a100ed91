/** Sizes in binary units, and back; the API has bytes only. */
import { perLanguage } from './formats';

export const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
export type Unit = (typeof UNITS)[number];

/** Bytes of one unit. */
export const factor = (unit: Unit): number => 1024 ** UNITS.indexOf(unit);

/** The largest unit in which the size is at least 1. */
function unitOf(bytes: number): Unit {
  const size = Math.abs(bytes);
  return UNITS.findLast((unit) => size >= factor(unit)) ?? 'B';
}

/** "1.5 GiB" in the digits of a language, with about three digits. */
export function formatBytes(bytes: number, language: string): string {
  const unit = unitOf(bytes);
  let value = bytes / factor(unit);
  // 1023.99 MiB would be shown as 1,024 MiB.
  const next = UNITS[UNITS.indexOf(unit) + 1];
  if (next && Math.abs(value) >= 1023.5) {
    value = bytes / factor(next);
    return `${number(value, language)} ${next}`;
  }
  return `${number(value, language)} ${unit}`;
}

/** Round sizes for an axis from 0 to at least `most`, about five of them, in steps that are round in binary units. */
export function axisSizes(most: number): number[] {
  const rough = Math.max(most / 4, 1);
  const unit = factor(unitOf(rough));
  const step = unit * (STEPS.find((each) => each >= rough / unit) ?? 1024);
  return Array.from({ length: Math.max(Math.ceil(most / step), 1) + 1 }, (_, index) => index * step);
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

const withDigits = (maximumFractionDigits: number) =>
  perLanguage((language) => new Intl.NumberFormat(language, { maximumFractionDigits }));
const DIGITS = [withDigits(0), withDigits(1), withDigits(2)] as const;
const plain = perLanguage((language) => new Intl.NumberFormat(language));

function number(value: number, language: string): string {
  const size = Math.abs(value);
  return DIGITS[size >= 100 ? 0 : size >= 10 ? 1 : 2](language).format(value);
}

export const formatNumber = (value: number, language: string): string => plain(language).format(value);

/** A size as a form shows it: in the largest unit in which two decimals are exact. */
export function splitBytes(bytes: number): { value: number; unit: Unit } {
  const exact = UNITS.findLast((unit) => {
    const value = bytes / factor(unit);
    return value >= 1 && Math.round(value * 100) / 100 === value;
  });
  const unit = exact ?? 'B';
  return { value: bytes / factor(unit), unit };
}

/** A form's size in bytes; null if the API would refuse it. */
export function joinBytes(value: number, unit: Unit): number | null {
  const bytes = Math.round(value * factor(unit));
  return Number.isSafeInteger(bytes) && bytes >= 1 ? bytes : null;
}
