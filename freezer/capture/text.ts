import {decodeText, encodeText} from '../../builder/text.js';

/** Bytes of the kernel as text and back, losslessly. */
export const toText = decodeText;
export const toBytes = (text: string): Buffer => Buffer.from(encodeText(text));
