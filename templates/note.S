/*
 * What postject needs to add the provenance note: a note of our own, since without a PT_NOTE it injects nothing and says it did, and
 * the fuse that it flips from :0 to :1. It copies notes elsewhere, so the fuse must not be in one.
 */
	.section .note.frore, "a", @note
	.balign 4
	.long	2f - 1f			/* length of the name */
	.long	4f - 3f			/* length of the description */
	.long	1			/* type */
1:	.asciz	"frore"
2:	.balign 4
3:	.asciz	"stub"
4:	.balign 4

	.section .fuse, "a", @progbits
	.asciz	"FRORE_PROVENANCE_6f0d1c52a4b94d0e:0"

	.section .note.GNU-stack, "", @progbits
