/** What a validator says of a fault, as far as it is needed here. */
interface Fault {
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Where a value first breaks its schema, as a JSON Pointer (RFC 6901): the member at fault, or the one that is missing. */
export function faultPointer(faults: readonly Fault[] | null | undefined): string {
  const fault = faults?.[0];
  if (!fault) return '';
  const { missingProperty } = fault.params;
  return typeof missingProperty === 'string' ? `${fault.instancePath}/${missingProperty}` : fault.instancePath;
}
