/** Rendered by `npm run gen`: low 64 bits of SHA-256 of the schema (canonical.ts). */
export const SCHEMA_HASH = 0xbb94ac74a42db056n;
