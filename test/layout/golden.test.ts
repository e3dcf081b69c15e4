/**
 * Bytes of a known artefact are kept in the tree: both sides must read them, and writing the same snapshot must give the same bytes.
 * When this fails since the format was changed on purpose: raise FORMAT_VERSION if a release has been made with the old one, then
 * `npm run golden`.
 */
import {existsSync, readFileSync} from 'node:fs';
import test from 'ava';
import {bytesSource, openArtefact, verify} from '../../builder/artefact-reader.js';
import {SCHEMA_HASH} from '../../builder/format/hash.js';
import {tableLayouts} from '../../builder/format/layout.js';
import {FORMAT_VERSION, type Snapshot, type TableName} from '../../builder/format/schema.js';
import {createHasher} from '../../builder/portable-codec.js';
import {encodeText} from '../../builder/text.js';
import {compileProbe, runProbe} from '../helpers/compiled.js';
import {goldenArtefact, goldenPath} from '../helpers/golden.js';
import {fullSnapshot} from '../helpers/snapshots.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Every field of every row on a line of its own: what the C program below prints, too. */
function dump(snapshot: Snapshot): string[] {
	return tableLayouts.flatMap(({name, fields}) =>
		snapshot[name as TableName].flatMap((row, index) =>
			fields.map((field) => {
				const value = (row as Record<string, unknown>)[field.name];
				const shown =
					field.type === 'str'
						? hex(encodeText(value as string))
						: field.type === 'bytes'
							? hex(value as Uint8Array)
							: String(value);
				return `${name}[${index}].${field.name}=${shown}`;
			}),
		),
	);
}

const formats = {u8: 'PRIu8', u16: 'PRIu16', u32: 'PRIu32', u64: 'PRIu64', i32: 'PRId32', i64: 'PRId64'};

const reader = (): string => `#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "gen/frore_format.h"
static uint8_t file[1 << 20];
static const uint8_t *blob;
static void print_ref(struct frore_ref ref)
{
	for (uint32_t i = 0; i < ref.length; i++)
		printf("%02x", blob[ref.offset + i]);
}
int main(int argc, char **argv)
{
	FILE *in = argc > 1 ? fopen(argv[1], "rb") : NULL;
	size_t size = in ? fread(file, 1, sizeof(file), in) : 0;
	const struct frore_trailer *trailer = (const void *)(file + size - sizeof(*trailer));
	const struct frore_preamble *preamble = (const void *)(file + trailer->preamble_offset);
	const struct frore_head *head = (const void *)(file + trailer->head_offset);
	const struct frore_directory *directory = (const void *)(head + 1);
	if (trailer->magic != FRORE_TRAILER_MAGIC || preamble->magic != FRORE_PREAMBLE_MAGIC ||
	    preamble->schema_hash != FRORE_SCHEMA_HASH || head->tables != FRORE_TABLE_COUNT)
		return 1;
	blob = (const uint8_t *)head + head->blob_offset;
${tableLayouts
	.map(
		({name, fields}, id) => `	for (uint64_t i = 0; i < directory[${id}].count; i++) {
		const struct frore_${name} *row = (const struct frore_${name} *)((const uint8_t *)head + directory[${id}].offset) + i;
${fields
	.map((field) => {
		const label = `${name}[%" PRIu64 "].${field.name}=`;
		return field.type === 'str' || field.type === 'bytes'
			? `		printf("${label}", i); print_ref(row->${field.name}); puts("");`
			: `		printf("${label}%" ${formats[field.type]} "\\n", i, row->${field.name});`;
	})
	.join('\n')}
	}`,
	)
	.join('\n')}
	return 0;
}
`;

test('the golden artefact is of this format version', (t) => {
	t.true(existsSync(goldenPath), `${goldenPath} is missing: a new FORMAT_VERSION needs a new one, npm run golden`);
	const golden = readFileSync(goldenPath);
	const hash = golden.readBigUInt64LE(4096 + 16);
	t.is(golden.readUInt32LE(4096 + 8), FORMAT_VERSION);
	t.is(hash, SCHEMA_HASH, 'the format changed: raise FORMAT_VERSION if it has been released, then npm run golden');
});

test('TypeScript reads the golden bytes', async (t) => {
	const artefact = openArtefact(bytesSource(new Uint8Array(readFileSync(goldenPath))), await createHasher());
	verify(artefact);
	t.deepEqual(artefact.snapshot, fullSnapshot());
});

test('C reads the same values from the golden bytes', (t) => {
	const printed = runProbe(compileProbe('golden', reader()), [goldenPath]);
	t.deepEqual(printed.trimEnd().split('\n'), dump(fullSnapshot()));
});

test('writing the golden snapshot gives the golden bytes', async (t) => {
	t.true(Buffer.compare(await goldenArtefact(), readFileSync(goldenPath)) === 0);
});
