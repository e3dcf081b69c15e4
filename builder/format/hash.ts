/** Rendered by `npm run gen`: low 64 bits of SHA-256 of the schema (canonical.ts). */
export const SCHEMA_HASH = 0x391e05f5a16f1e8cn;
