/** The store cannot be used as it is: one line that tells the operator which it is, and why. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}
