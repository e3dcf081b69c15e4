import test from 'ava';
import {SCHEMA_HASH} from '../../builder/format/hash.js';
import {type Layout, structureLayouts, tableLayouts} from '../../builder/format/layout.js';
import {constants, FORMAT_VERSION} from '../../builder/format/schema.js';
import {compileProbe, runProbe} from '../helpers/compiled.js';

const layouts: readonly Layout[] = [...structureLayouts, ...tableLayouts];

/** A program that prints what the C compiler makes of the generated header. */
const source = (): string => `#include <stdio.h>
#include "gen/frore_format.h"
int main(void)
{
	printf("version %d\\nhash %llx\\n", FRORE_FORMAT_VERSION, FRORE_SCHEMA_HASH);
${layouts
	.flatMap(({name, fields}) => [
		`\tprintf("${name} %zu\\n", sizeof(struct frore_${name}));`,
		...fields.map(
			(field) =>
				`\tprintf("${name}.${field.name} %zu %zu\\n", offsetof(struct frore_${name}, ${field.name}), sizeof(((struct frore_${name} *)0)->${field.name}));`,
		),
	])
	.join('\n')}
${tableLayouts.map(({name}) => `\tprintf("TABLE_${name} %d\\n", FRORE_TABLE_${name.toUpperCase()});`).join('\n')}
${Object.entries(constants)
	.flatMap(([group, values]) =>
		Object.keys(values).map((name) => `\tprintf("${group}.${name} %d\\n", FRORE_${group}_${name});`),
	)
	.join('\n')}
	return 0;
}
`;

const fieldSize = {u8: 1, u16: 2, u32: 4, u64: 8, i32: 4, i64: 8, str: 8, bytes: 8};

test('the C compiler and TypeScript agree on every offset, size, id and constant', (t) => {
	const expected = [
		`version ${FORMAT_VERSION}`,
		`hash ${SCHEMA_HASH.toString(16)}`,
		...layouts.flatMap(({name, size, fields}) => [
			`${name} ${size}`,
			...fields.map((field) => `${name}.${field.name} ${field.offset} ${fieldSize[field.type]}`),
		]),
		...tableLayouts.map(({name}, id) => `TABLE_${name} ${id}`),
		...Object.entries(constants).flatMap(([group, values]) =>
			Object.entries(values).map(([name, value]) => `${group}.${name} ${value}`),
		),
	];
	t.deepEqual(runProbe(compileProbe('offsets', source())).trimEnd().split('\n'), expected);
});
