/** A mistake in what the operator wrote: one line that says where and what. */
export class ConfigError extends Error {}
