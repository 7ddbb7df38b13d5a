const THOUSAND = 1000;
const MILLION = 1e6;
const MOST_DECIMALS = 2;

/** Three digits that count: 0.53, 12.5, 210k, 1.71M. */
export function short(value: number): string {
  if (value >= MILLION) return `${digits(value / MILLION, 3)}M`;
  if (value >= THOUSAND) return `${digits(value / THOUSAND, 3)}k`;
  return digits(value, 3);
}

/** Two digits that count: 0.82x, 5.6x, 38x. */
export function times(ratio: number): string {
  return `${digits(ratio, 2)}x`;
}

function digits(value: number, count: number): string {
  const whole = value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1;
  return value.toFixed(Math.min(MOST_DECIMALS, Math.max(0, count - whole)));
}
