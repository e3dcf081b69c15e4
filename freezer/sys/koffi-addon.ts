/** Stands in for the package koffi in the one-file program: its addon alone, out of the program itself. */
import {packagePath} from './package.js';

const addon: {exports: unknown} = {exports: {}};
process.dlopen(addon, packagePath('koffi'));
export default addon.exports;
