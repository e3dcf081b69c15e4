/** The schema as one text without prose: what the schema hash is taken of. A change of a comment does not change it. */
import {structureLayouts, tableLayouts} from './layout.js';
import {constants, FORMAT_VERSION} from './schema.js';

export const canonicalSchema = (): string =>
	JSON.stringify({
		version: FORMAT_VERSION,
		constants,
		layouts: [...structureLayouts, ...tableLayouts].map(({name, size, fields}) => [
			name,
			size,
			...fields.map((field) => [field.name, field.type, field.offset]),
		]),
	});
