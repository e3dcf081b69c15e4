/** Rendered by `npm run gen`: low 64 bits of SHA-256 of the schema (canonical.ts). */
export const SCHEMA_HASH = 0x8776ce4b2dbaf9a7n;
