/** Times of the API (RFC 3339, UTC) as texts in the reader's time zone, and back. */
import { perLanguage } from './formats';

const full = perLanguage(
  (language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }),
);
const day = perLanguage((language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium' }));
// "in 1 day", not "tomorrow": 47 hours are cut to one day, but may be the day after tomorrow.
const relative = perLanguage((language) => new Intl.RelativeTimeFormat(language, { numeric: 'always' }));
const present = perLanguage((language) =>
  new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(0, 'second'),
);

const pad = (value: number, length = 2) => String(value).padStart(length, '0');

/** "12 Jan 2027, 14:05" in the reader's zone and calendar. */
export function formatMoment(at: string | number | Date, language: string): string {
  return full(language).format(new Date(at));
}

export function formatDay(at: string | number | Date, language: string): string {
  return day(language).format(new Date(at));
}

/** The same moment in UTC, to compare with logs. */
export function formatUtc(at: string | number | Date): string {
  const text = new Date(at).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** Seconds that a moment may be ahead of the page's clock, which ticks every few seconds, and still count as now. */
const AHEAD = 10;

/** "in 3 days", "5 minutes ago": cut, not rounded, so that a user's remaining time is never overstated. */
export function formatRelative(at: string | number | Date, now: number, language: string): string {
  const seconds = Math.trunc((new Date(at).getTime() - now) / 1000);
  if (seconds >= 0 && seconds < AHEAD) return present(language);
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return relative(language).format(Math.trunc(seconds / size), unit);
}

/** "3 days 4 hr" for an uptime. */
export function formatDuration(seconds: number, language: string): string {
  const units: [string, number][] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 && parts.length < 2) {
      parts.push(
        new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(count),
      );
    }
  }
  if (parts.length > 0) return parts.join(' ');
  return new Intl.NumberFormat(language, { style: 'unit', unit: 'second', unitDisplay: 'short' }).format(
    rest,
  );
}

/** A moment as the value of a date-time picker: "2027-01-31 23:59:59" in the reader's time zone. */
export function toPicker(at: string): string {
  const date = new Date(at);
  const calendar = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${calendar} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** The moment of a picker's value, in UTC; null if the value is not a time. */
export function fromPicker(text: string): string | null {
  const date = new Date(text.replace(' ', 'T'));
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The same local time a number of days later, also across a change to or from summer time. */
export function addDays(at: Date, days: number): string {
  const date = new Date(at);
  date.setDate(date.getDate() + days);
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The time zone in which all times are shown, such as "Europe/Moscow". */
export function zoneName(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
