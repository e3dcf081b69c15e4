/** Renders resumer-stub/gen/frore_format.h. */
import type {FieldType} from './fields.js';
import {type Layout, structureLayouts, tableLayouts} from './layout.js';
import {references, stretches} from './references.js';
import {constants, FORMAT_VERSION, NONE} from './schema.js';

const cTypes: Record<FieldType, string> = {
	u8: 'uint8_t',
	u16: 'uint16_t',
	u32: 'uint32_t',
	u64: 'uint64_t',
	i32: 'int32_t',
	i64: 'int64_t',
	str: 'struct frore_ref',
	bytes: 'struct frore_ref',
};

const comment = (text: string): string => `/* ${text.replaceAll('*/', '* /').replaceAll('/*', '/ *')} */`;

function renderStruct({name, doc, fields, size, padding}: Layout): string {
	const tag = `struct frore_${name}`;
	const told = (type: FieldType, text: string) =>
		comment(type === 'str' ? `text: ${text}` : type === 'bytes' ? `bytes: ${text}` : text);
	return [
		comment(doc),
		`${tag} {`,
		...fields.map((field) => `\t${cTypes[field.type]} ${field.name}; ${told(field.type, field.doc)}`),
		...(padding > 0 ? [`\tuint8_t pad_end[${padding}];`] : []),
		'};',
		`_Static_assert(sizeof(${tag}) == ${size}, "${name}");`,
		...fields.map(
			(field) => `_Static_assert(offsetof(${tag}, ${field.name}) == ${field.offset}, "${name}.${field.name}");`,
		),
		'',
	].join('\n');
}

function renderConstants(): string {
	return Object.entries(constants)
		.map(([group, values]) => {
			const rows = Object.entries(values).map(([name, value]) => `\tFRORE_${group}_${name} = ${value},`);
			return ['enum {', ...rows, '};', ''].join('\n');
		})
		.join('\n');
}

const list = (name: string, arguments_: string, doc: string, rows: readonly (readonly (string | number)[])[]): string =>
	[
		comment(`${doc}: X(${arguments_})`),
		[`#define FRORE_${name}(X)`, ...rows.map((row) => `\tX(${row.join(', ')})`)].join(' \\\n'),
		'',
	].join('\n');

const upper = (name: string): string => name.toUpperCase();

/** What engine/validate.c looks after, as lists for the preprocessor: the same that validate.ts does with references.ts. */
function renderLists(): string {
	const blobs = tableLayouts.flatMap(({name, fields}) =>
		fields.filter(({type}) => type === 'str' || type === 'bytes').map((field) => [upper(name), name, field.name]),
	);
	const rows = Object.entries(references).flatMap(([name, fields]) =>
		Object.entries(fields as Record<string, string>).map(([field, of]) => {
			const optional = of.endsWith('?');
			return [upper(name), name, field, upper(optional ? of.slice(0, -1) : of), optional ? 1 : 0];
		}),
	);
	const several = Object.entries(stretches).flatMap(([name, all]) =>
		all.map(({first, count, of}) => [upper(name), name, first, count, upper(of)]),
	);
	return [
		list(
			'TABLES',
			'TABLE, struct',
			'Every table',
			tableLayouts.map(({name}) => [upper(name), name]),
		),
		list('BLOBS', 'TABLE, struct, field', 'Every reference into the blob', blobs),
		list('REFERENCES', 'TABLE, struct, field, TABLE referred to, may be NONE', 'Fields that are a row', rows),
		list('STRETCHES', 'TABLE, struct, first, count, TABLE referred to', 'Fields that are consecutive rows', several),
		list(
			'KINDS',
			'KIND = TABLE',
			'Every kind of description; its table has the same name',
			Object.keys(constants.KIND).map((kind) => [kind]),
		),
	].join('\n');
}

/** @param hash the schema hash, see hash.ts */
export function renderHeader(hash: bigint): string {
	return `/* Rendered from builder/format/schema.ts by \`npm run gen\`: change it there. clang-format off */
#ifndef FRORE_FORMAT_H
#define FRORE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define FRORE_FORMAT_VERSION ${FORMAT_VERSION}
#define FRORE_SCHEMA_HASH 0x${hash.toString(16).padStart(16, '0')}ULL
#define FRORE_PREAMBLE_MAGIC 0x504e5345524f5246ULL /* "FRORESNP" */
#define FRORE_TRAILER_MAGIC 0x444e4545524f5246ULL /* "FROREEND" */
#define FRORE_NONE 0x${NONE.toString(16)}U /* "no such row" in a reference field */

/* Bytes in the blob of HEAD; text is followed by a NUL that \`length\` does not count, bytes start 8-aligned. */
struct frore_ref {
	uint32_t offset;
	uint32_t length;
};
_Static_assert(sizeof(struct frore_ref) == 8, "frore_ref");

${renderConstants()}
/* Ids of the tables in the directory of HEAD. */
enum {
${tableLayouts.map(({name}, id) => `\tFRORE_TABLE_${name.toUpperCase()} = ${id},`).join('\n')}
	FRORE_TABLE_COUNT = ${tableLayouts.length},
};

${structureLayouts.map(renderStruct).join('\n')}
${tableLayouts.map(renderStruct).join('\n')}
${renderLists()}
#endif
`;
}
