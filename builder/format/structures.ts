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
	group: table(
		'Start of a FRAMES payload, and a row of the index; its frame rows and run rows follow, then (page-aligned if a frame is not encoded) the data of its frames, one after the other',
		{
			offset: u64('Where its section head is in the file'),
			length: u64('Bytes from there to the next section'),
			data_offset: u64('Where the data of its first frame is in the file'),
			checksum: u64('XXH64 of the bytes from `offset` to `data_offset`, this field taken as 0'),
			first_frame: u32('Index of its first frame among all frames of the file'),
			frame_count: u32('Frames'),
		},
	),
	frame: table('Pages that are read and decoded together', {
		offset: u64('Where its data is in the file; a multiple of the page size for codec NONE'),
		length: u64('Bytes from there to the next frame, or to the next section: data, padding'),
		stored_length: u64('Bytes of data in the file'),
		raw_length: u64('Bytes after decoding = sum of the STORED, IMAGE and VOID runs'),
		checksum: u64('XXH64 of all `length` bytes'),
		first_run: u32('Index of its first run among all runs of the file'),
		run_count: u32('Runs'),
		codec: u32('CODEC_*'),
		flags: u32('1: every run is of source IMAGE'),
	}),
	run: table(
		'A stretch of pages. STORED, IMAGE and VOID runs take their bytes one after the other from the decoded frame',
		{
			address: u64('Address in the mm, or offset in the content'),
			length: u64('Bytes'),
			from: u64('COPY and REPEAT: address in the same mm, of pages that a STORED run fills; else 0'),
			index: u32('Row of `mm` or `content`'),
			space: u16('SPACE_*'),
			source: u16('SOURCE_*'),
		},
	),
	index: table('Start of the INDEX payload; group rows, frame rows, run rows', {
		groups: u64('Number of group rows'),
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
