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

/// As ZSTD_createCDict, but up to level 3 with the double-fast strategy and tables fitted to a dictionary of some 8 KB
/// and values of some hundred bytes. The library's level 1 keeps one table of hashes where such values need two: of
/// documents of 470 bytes it leaves 127.5, this 112.7, of others 118.7 and 113.8, in the same time to compress (1.9
/// us), a fifth less to decompress, and 72 instead of 154 KB of memory. NULL without memory.
static inline ZSTD_CDict *fog_zstd_make_dictionary(const void *bytes, size_t count, int level) {
    if (level > 3) return ZSTD_createCDict(bytes, count, level);
    ZSTD_compressionParameters parameters = {
        .windowLog = 15, .chainLog = 12, .hashLog = 13, .searchLog = 1, .minMatch = 5, .targetLength = 1,
        .strategy = ZSTD_dfast};
    return ZSTD_createCDict_advanced(bytes, count, ZSTD_dlm_byCopy, ZSTD_dct_auto, parameters, ZSTD_defaultCMem);
}

/// Makes `context` read bare frames. 0 when a parameter was refused.
static inline int fog_zstd_read_bare(ZSTD_DCtx *context) {
    return !ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_format, ZSTD_f_zstd1_magicless));
}
#endif
