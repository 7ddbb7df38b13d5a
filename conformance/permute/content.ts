import { isFields } from '../model.js';
import type { Fields } from '../model.js';

/** The fields of a `send`, those of its `message` among them. */
export const contentOf = (fields: Fields): Fields =>
  isFields(fields['message']) ? { ...fields, ...fields['message'] } : fields;
