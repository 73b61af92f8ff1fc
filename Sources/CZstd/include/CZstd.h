// CZstd.h - the C edge to Debian's libzstd: frames without magic number, sizes and checksum (9 to 13 bytes less, which
// decides over small values), and the training of dictionaries. The parameter names of the bare format and of the
// training are the library's experimental part, some of it macros, which Swift cannot see; nothing else of that part is
// used.
#ifndef FOG_CZSTD_H
#define FOG_CZSTD_H
#define ZSTD_STATIC_LINKING_ONLY 1
#define ZDICT_STATIC_LINKING_ONLY 1
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

/// As ZDICT_trainFromBuffer, in less of its memory (0.8 instead of 11 MB at most): its table of 2^20 counts is made for
/// samples of many megabytes. Of our 300 KB, tables of 2^12 to 2^20 make equally good dictionaries (within 1.5 %).
static inline size_t fog_zstd_train(void *target, size_t room, const void *samples, const size_t *sizes,
                                    unsigned count) {
    ZDICT_fastCover_params_t parameters = {0};
    parameters.d = 8;
    parameters.f = 14;
    parameters.steps = 4;
    parameters.accel = 1;
    parameters.nbThreads = 1;
    parameters.zParams.compressionLevel = ZSTD_CLEVEL_DEFAULT;
    return ZDICT_optimizeTrainFromBuffer_fastCover(target, room, samples, sizes, count, &parameters);
}

/// Makes `context` read bare frames. 0 when a parameter was refused.
static inline int fog_zstd_read_bare(ZSTD_DCtx *context) {
    return !ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_format, ZSTD_f_zstd1_magicless));
}
#endif
