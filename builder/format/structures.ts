import {table, u16, u32, u64} from './fields.js';

/** Structures that frame the tables in the file. Offsets are from the start of the file unless said otherwise. */
export const structures = {
	preamble: table(
		'First bytes behind the stub, whose length is a multiple of the page size; the sections follow at once: frames, HEAD, INDEX, trailer',
		{
			magic: u64('"FRORESNP"'),
			version: u32('FORMAT_VERSION'),
			arch: u32('e_machine of ELF: 62 x86-64'),
			schema_hash: u64('Low 64 bits of SHA-256 of the schema, equal to the one compiled into the stub'),
			page_size: u32('Bytes'),
			codec: u32('CODEC_* of the frames'),
			cipher: u32('CIPHER_*'),
			pad0: u32('0'),
			key_name: u64('Reserved for the key name, 0'),
			checksum: u64('XXH64 of the bytes before this field'),
		},
	),
	section: table('Head of every section, 8-byte aligned; the payload follows', {
		type: u32('SECTION_*'),
		flags: u32('0'),
		length: u64('Bytes of payload'),
	}),
	head: table('Start of the HEAD payload; then `directory` rows, tables, blob', {
		tables: u32('Number of directory rows'),
		pad0: u32('0'),
		blob_offset: u64('From the start of the payload'),
		blob_length: u64('Bytes'),
	}),
	directory: table('Where one table is', {
		id: u32('Position of the table in the schema'),
		row_size: u32('Bytes per row'),
		count: u64('Rows'),
		offset: u64('From the start of the HEAD payload, 8-byte aligned'),
	}),
	frame: table(
		'Start of a FRAME payload, and a row of the index; runs follow, then (page-aligned for codec NONE) the data',
		{
			offset: u64('Where its section head is in the file'),
			length: u64('Bytes from there to the next section: head, this structure, runs, padding, data, padding'),
			data_offset: u64('Where the data is in the file'),
			stored_length: u64('Bytes of data in the file'),
			raw_length: u64('Bytes after decoding = sum of the STORED and IMAGE runs'),
			checksum: u64('XXH64 of all `length` bytes, this field taken as 0'),
			first_run: u32('Index of its first run among all runs of the file'),
			run_count: u32('Runs'),
			codec: u32('CODEC_*'),
			flags: u32('1: every run is of source IMAGE'),
		},
	),
	run: table('A stretch of pages. STORED and IMAGE runs take their bytes one after the other from the decoded frame', {
		address: u64('Address in the mm, or offset in the content'),
		length: u64('Bytes'),
		index: u32('Row of `mm` or `content`'),
		space: u16('SPACE_*'),
		source: u16('SOURCE_*'),
	}),
	index: table('Start of the INDEX payload; frame rows, then run rows', {
		frames: u64('Number of frame rows'),
		runs: u64('Number of run rows'),
	}),
	trailer: table('The last 64 bytes of the file', {
		preamble_offset: u64('Where the preamble is: the length of the stub rounded up'),
		head_offset: u64('Where the HEAD payload is'),
		head_length: u64('Bytes'),
		head_checksum: u64('XXH64 from the section head of HEAD to the section head of INDEX'),
		index_offset: u64('Where the INDEX payload is'),
		index_length: u64('Bytes'),
		checksum: u64('XXH64 from the section head of INDEX to this field'),
		magic: u64('"FROREEND"'),
	}),
};
