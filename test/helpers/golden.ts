/** The artefact whose bytes are kept in the tree: plain frames, so that no encoder's version matters. */
import {plainEncoder} from '../../builder/codec.js';
import {FORMAT_VERSION} from '../../builder/format/schema.js';
import {createHasher} from '../../builder/portable-codec.js';
import {smallArtefact} from './snapshots.js';

export const goldenPath = `test/fixtures/golden/format-${FORMAT_VERSION}.bin`;

export const goldenArtefact = async (): Promise<Uint8Array> => smallArtefact(await createHasher(), plainEncoder);
