// CLZF.h - the C edge to Debian's liblzf: the string and list-node compression that Redis' files use. No logic here.
#ifndef FOG_CLZF_H
#define FOG_CLZF_H
#include <liblzf/lzf.h>
#endif
