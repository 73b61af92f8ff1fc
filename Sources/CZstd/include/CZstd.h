// CZstd.h - the C edge to Debian's libzstd: frames without magic number, sizes and checksum (9 to 13 bytes less, which
// decides over small values), and the training of dictionaries. The parameter names of the bare format are macros of
// the library's experimental part, which Swift cannot see; nothing else of that part is used.
#ifndef FOG_CZSTD_H
#define FOG_CZSTD_H
#define ZSTD_STATIC_LINKING_ONLY 1
#include <zstd.h>
#include <zdict.h>

/// Makes `context` write bare frames at `level`. 0 when a parameter was refused.
static inline int fog_zstd_write_bare(ZSTD_CCtx *context, int level) {
    return !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_format, ZSTD_f_zstd1_magicless)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level));
}

/// Makes `context` read bare frames. 0 when a parameter was refused.
static inline int fog_zstd_read_bare(ZSTD_DCtx *context) {
    return !ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_format, ZSTD_f_zstd1_magicless));
}
#endif
