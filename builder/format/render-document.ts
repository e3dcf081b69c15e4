/** Renders docs/FORMAT.md. */
import {type Layout, structureLayouts, tableLayouts} from './layout.js';
import {constants, FORMAT_VERSION, NONE} from './schema.js';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function renderTable({name, doc, fields, size}: Layout, id?: number): string {
	const title = id === undefined ? `### ${name}` : `### ${id} ${name}`;
	const rows = fields.map((field) => `| ${field.offset} | ${field.type} | ${field.name} | ${cell(field.doc)} |`);
	return [
		title,
		'',
		`${doc}. ${size} bytes.`,
		'',
		'| offset | type | field | meaning |',
		'|---|---|---|---|',
		...rows,
		'',
	].join('\n');
}

/** @param hash the schema hash, see hash.ts */
export function renderDocument(hash: bigint): string {
	const values = Object.entries(constants).map(([group, names]) => {
		const list = Object.entries(names).map(([name, value]) => `${name} ${value}`);
		return `| ${group} | ${list.join(', ')} |`;
	});
	return `# The artefact format, version ${FORMAT_VERSION}

Rendered from \`builder/format/schema.ts\` by \`npm run gen\`; schema hash \`${hash.toString(16).padStart(16, '0')}\`.

\`\`\`
stub ELF, zero-padded to a multiple of 4096
preamble
FRAMES section *      pages: a group of frames, with their runs before their data
HEAD section          tables and blob
INDEX section         group, frame and run rows again, for seeking
trailer               the last 64 bytes
\`\`\`

All numbers are little-endian and naturally aligned; sections start at multiples of 8 and are zero-padded to them.
\`str\` and \`bytes\` fields are a u32 offset and a u32 length into the blob of HEAD. Text is followed by a NUL that the
length does not count; bytes start at a multiple of 8. Text of no valid UTF-8 is kept byte by byte. The reference "no such
row" is 0x${NONE.toString(16)}. Rows are padded at the end to a multiple of 8.

A frame may stand before or behind others that fill the same address: the later one wins. STORED, IMAGE and VOID runs take their
bytes one after the other from the decoded frame; ZERO runs take none, nor do COPY and REPEAT runs, which are filled
when all frames are. Of the runs of a frame those of INDEX count: a group is written while the program runs on, perhaps, and what
has changed since is VOID in INDEX. The data of the frames of one
group lies together, so that a long stretch of memory that is not encoded is one stretch of the file, too, and can be mapped.

## Structures

${structureLayouts.map((layout) => renderTable(layout)).join('\n')}
## Tables of HEAD

${tableLayouts.map(renderTable).join('\n')}
## Constants

| group | names |
|---|---|
${values.join('\n')}
`;
}
