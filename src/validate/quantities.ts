/** Times, sizes and exact decimals: texts → numbers, undefined where a text is none. */

/** Seconds in a `d`, `h`, `m`, `s`. */
const UNITS = new Map([
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
]);
/** Ten years: more is a slip of the keyboard. */
const MAX_SECONDS = 10 * 366 * 86_400;

/** `90` (seconds), `10m`, `1h30m`, and Slurm's `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM`, `D-HH:MM:SS`. In seconds. */
export function parseTime(text: string): number | undefined {
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : (unitTime(text) ?? clockTime(text));
  return seconds !== undefined && seconds > 0 && seconds <= MAX_SECONDS ? seconds : undefined;
}

function unitTime(text: string): number | undefined {
  const match = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text);
  if (!match || text === '') return undefined;
  return [...UNITS.values()].reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * unit, 0);
}

function clockTime(text: string): number | undefined {
  const days = /^(\d{1,4})-(\d{1,2})(?::(\d\d))?(?::(\d\d))?$/.exec(text);
  if (days) return clock(days.slice(1).map(part => Number(part ?? 0)));
  const hours = /^(?:(\d{1,5}):)?(\d{1,5}):(\d\d)$/.exec(text);
  if (!hours) return undefined;
  const [h, m, s] = hours.slice(1).map(part => Number(part ?? 0));
  return hours[1] !== undefined && (m ?? 0) > 59 ? undefined : clock([0, h ?? 0, m ?? 0, s ?? 0], true);
}

/** Days, hours, minutes, seconds; `open`: the leading part may be past its usual range. */
function clock([d = 0, h = 0, m = 0, s = 0]: number[], open = false): number | undefined {
  if (s > 59 || (!open && (m > 59 || h > 23))) return undefined;
  return ((d * 24 + h) * 60 + m) * 60 + s;
}

/** `512M`, `4G`, `4GB`, `4GiB`: powers of 1024, in bytes. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9})([KMGT])(?:i?B)?$/i.exec(text);
  if (!match) return undefined;
  const power = 'KMGT'.indexOf((match[2] ?? '').toUpperCase()) + 1;
  const bytes = Number(match[1]) * 1024 ** power;
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A decimal as a whole number of `10 ** -scale`, so that steps of 0.1 add up. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

export function parseDecimal(text: string): Decimal | undefined {
  const match = /^([-+]?)(\d{0,30})(?:\.(\d{0,30}))?(?:[eE]([-+]?\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const units = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 };
}

export function unitsAt(decimal: Decimal, scale: number): bigint {
  return decimal.units * 10n ** BigInt(scale - decimal.scale);
}

/** As a person would type it: no trailing zeros, no exponent. */
export function formatUnits(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${whole}${scale > 0 && fraction ? `.${fraction}` : ''}`;
}
