/** The files that `npm run gen` renders from the schema, and what should be in them. */
import {createHash} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {canonicalSchema} from '../builder/format/canonical.js';
import {renderDocument} from '../builder/format/render-document.js';
import {renderHeader} from '../builder/format/render-header.js';

const schemaHash = (): bigint => createHash('sha256').update(canonicalSchema()).digest().readBigUInt64BE(24);

const renderHash = (hash: bigint): string =>
	`/** Rendered by \`npm run gen\`: low 64 bits of SHA-256 of the schema (canonical.ts). */
export const SCHEMA_HASH = 0x${hash.toString(16).padStart(16, '0')}n;
`;

/** Path from the project root -> content. */
export function generated(): Map<string, string> {
	const hash = schemaHash();
	return new Map([
		['resumer-stub/gen/frore_format.h', renderHeader(hash)],
		['builder/format/hash.ts', renderHash(hash)],
		['docs/FORMAT.md', renderDocument(hash)],
	]);
}

/** Paths of generated files that are not what the schema says. */
export const staleFiles = (): string[] =>
	[...generated()]
		.filter(([path, content]) => !existsSync(path) || readFileSync(path, 'utf8') !== content)
		.map(([path]) => path);
